//! Compiles `proto/` into Rust and into one descriptor set per listener.

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use prost_types::FileDescriptorSet;
use prost_types::field_descriptor_proto::Type;

/// Root of the proto files, from the folder of this crate, in which the script runs: a build folder
/// that was copied with the workspace reads the copy.
const PROTO_ROOT: &str = "../../proto";

/// Files that each listener serves: its descriptor set holds these and their imports, nothing else.
const LISTENERS: [(&str, &[&str]); 2] = [
    (
        "messaging.bin",
        &[
            "postroom/v1/messaging.proto",
            "postroom/v1/conversations.proto",
            "postroom/v1/error_reason.proto",
        ],
    ),
    (
        "sys.bin",
        &[
            "postroom/sys/v1/sys.proto",
            "postroom/v1/error_reason.proto",
        ],
    ),
];

/// The root of the proto files that are not part of the public contract.
const INTERNAL_ROOT: &str = "internal";

/// Page contexts and cursors, opaque to clients: no listener serves it.
const INTERNAL: &str = "postroom/internal/v1/cursor.proto";

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for (name, files) in LISTENERS {
        fs::write(out.join(name), compile(files)?.encode_file_descriptor_set())?;
    }
    let served = LISTENERS.iter().flat_map(|(_, files)| *files);
    let all = compile(served.chain([&INTERNAL]))?;
    rerun_if_changed(&all);
    let mut files = all.file_descriptor_set();
    keep_json_encoded(&mut files)?;
    // Maps as trees: the same message always encodes to the same bytes. What is large is
    // shared, not copied.
    tonic_prost_build::configure()
        .btree_map(".")
        .bytes(".postroom.v1.Content")
        .bytes(".postroom.v1.Part")
        .bytes(".postroom.v1.SealedContent")
        .compile_fds(files)?;
    Ok(())
}

/// Makes the JSON of a content its encoded bytes, which look the same on the wire: what was
/// stored goes out as it is, without being taken apart and put together again.
fn keep_json_encoded(files: &mut FileDescriptorSet) -> Result<(), &'static str> {
    let mut contents = files
        .file
        .iter_mut()
        .filter(|file| file.package() == "postroom.v1")
        .flat_map(|file| &mut file.message_type)
        .filter(|message| message.name() == "Content")
        .flat_map(|content| &mut content.field);
    let json = contents
        .find(|field| field.type_name() == ".google.protobuf.Value")
        .ok_or("Content has no Value")?;
    json.set_type(Type::Bytes);
    json.type_name = None;
    Ok(())
}

/// Compiles `files` and what they import, comments included.
fn compile(
    files: impl IntoIterator<Item = impl AsRef<Path>>,
) -> Result<protox::Compiler, protox::Error> {
    let mut compiler = protox::Compiler::new([PROTO_ROOT, INTERNAL_ROOT])?;
    compiler
        .include_imports(true)
        .include_source_info(true)
        .open_files(files)?;
    Ok(compiler)
}

/// Ties the next run to the files that were read; those of Google come with the compiler.
fn rerun_if_changed(compiler: &protox::Compiler) {
    for path in compiler.files().filter_map(|file| file.path()) {
        println!("cargo::rerun-if-changed={}", path.display());
    }
}
