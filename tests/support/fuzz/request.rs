//! Protobuf requests of any method, by their descriptors: what is decoded is encoded as it is decoded.

use std::sync::LazyLock;

use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};

use super::{FuzzTarget, formed};

pub const TARGET: FuzzTarget = FuzzTarget {
    name: "request",
    run,
    seeds,
};

/// Requests of all methods of both services.
static REQUESTS: LazyLock<Vec<MessageDescriptor>> = LazyLock::new(|| {
    let sets = [proto::MESSAGING_DESCRIPTOR_SET, proto::SYS_DESCRIPTOR_SET];
    let pools = sets.map(|set| DescriptorPool::decode(set).expect("descriptors"));
    let services = pools.iter().flat_map(DescriptorPool::services);
    let methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    methods.map(|method| method.input()).collect()
});

fn run(input: &[u8]) -> bool {
    let Some((form, rest)) = input.split_first() else {
        return false;
    };
    let request = REQUESTS[usize::from(*form) % REQUESTS.len()].clone();
    let Ok(decoded) = DynamicMessage::decode(request.clone(), rest) else {
        return false;
    };
    let bytes = decoded.encode_to_vec();
    let again = DynamicMessage::decode(request, &*bytes).expect("what was just encoded");
    assert_eq!(again.encode_to_vec(), bytes);
    true
}

fn seeds() -> Vec<Vec<u8>> {
    // A text, a number, and a message in the first fields.
    let bytes = b"\x0a\x05inbox\x10\x01\x1a\x02\x08\x01";
    let forms = 0..=u8::try_from(REQUESTS.len()).expect("few methods");
    forms.map(|form| formed(form, bytes)).collect()
}
