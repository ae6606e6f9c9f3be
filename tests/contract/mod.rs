//! The public contract as others read it.

mod comments;
mod descriptors;
mod limits;
mod request_ids;

use std::collections::BTreeMap;
use std::process::Command;

use prost::Message as _;
use prost_types::{FileDescriptorProto, FileDescriptorSet};
use proto::{MESSAGING_DESCRIPTOR_SET, SYS_DESCRIPTOR_SET};
use support::command::run;
use support::{tools, workspace};

/// Returns the files of Postroom's own packages, of both listeners, each once.
fn files() -> Vec<FileDescriptorProto> {
    let sets = [MESSAGING_DESCRIPTOR_SET, SYS_DESCRIPTOR_SET]
        .map(|set| FileDescriptorSet::decode(set).expect("a descriptor set"));
    let files = sets.into_iter().flat_map(|set| set.file);
    let own: BTreeMap<_, _> = files
        .filter(|file| file.package().starts_with("postroom."))
        .map(|file| (file.name().to_owned(), file))
        .collect();
    own.into_values().collect()
}

#[test]
fn the_protos_pass_buf_lint() {
    for protos in ["proto", "shared/proto/internal"] {
        let mut buf = Command::new(tools::buf());
        buf.arg("lint").current_dir(workspace::root().join(protos));
        run(&mut buf).expect("clean protos");
    }
}
