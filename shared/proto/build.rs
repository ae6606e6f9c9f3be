//! Compiles `proto/` into Rust and into one descriptor set per listener.

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
};

/// The root of the proto files, beside the crates that are generated from them.
const PROTO_ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto");

/// What each listener serves: a descriptor set holds these files and their imports, nothing else.
const LISTENERS: [(&str, [&str; 2]); 2] = [
    (
        "messaging.bin",
        [
            "postroom/v1/messaging.proto",
            "postroom/v1/error_reason.proto",
        ],
    ),
    (
        "sys.bin",
        [
            "postroom/sys/v1/sys.proto",
            "postroom/v1/error_reason.proto",
        ],
    ),
];

/// Served by no listener.
const INTERNAL: &str = "postroom/internal/v1/cursor.proto";

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for (name, files) in LISTENERS {
        fs::write(out.join(name), compile(files)?.encode_file_descriptor_set())?;
    }
    let served = LISTENERS.iter().flat_map(|(_, files)| files);
    let all = compile(served.chain([&INTERNAL]))?;
    rerun_if_changed(&all);
    // Maps as trees: the same message always encodes to the same bytes.
    tonic_prost_build::configure()
        .btree_map(".")
        .compile_fds(all.file_descriptor_set())?;
    Ok(())
}

/// Compiles `files` and what they import, comments included.
fn compile(
    files: impl IntoIterator<Item = impl AsRef<Path>>,
) -> Result<protox::Compiler, protox::Error> {
    let mut compiler = protox::Compiler::new([PROTO_ROOT])?;
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
