//! Request body for foreign load generators.

use std::path::PathBuf;

use anyhow::Context as _;
use prost::Message as _;
use proto::v1::SendMessageSimpleRequest;

/// Header of a gRPC frame: compression flag and length, in bytes.
const HEADER_BYTES: usize = 5;

/// Write the body of a `SendMessageSimple`, for h2load
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The recipient
    #[arg(long, value_name = "PROFILE", default_value = "bob")]
    to: String,
    /// The text
    #[arg(long, default_value = "Well played!")]
    text: String,
    /// The file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Writes it.
///
/// # Errors
/// If the file cannot be written.
pub fn write(args: &Args) -> anyhow::Result<()> {
    let frame = frame(&SendMessageSimpleRequest {
        to: vec![args.to.clone()],
        text: args.text.clone(),
        ..Default::default()
    })?;
    std::fs::write(&args.out, frame).with_context(|| args.out.display().to_string())
}

fn frame(request: &SendMessageSimpleRequest) -> anyhow::Result<Vec<u8>> {
    let length = u32::try_from(request.encoded_len())?;
    let mut frame = Vec::with_capacity(HEADER_BYTES + request.encoded_len());
    frame.push(0);
    frame.extend(length.to_be_bytes());
    frame.extend(request.encode_to_vec());
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_begins_with_its_length() {
        let request = SendMessageSimpleRequest {
            text: "hi".to_owned(),
            ..Default::default()
        };
        assert_eq!(frame(&request).expect("a frame"), b"\0\0\0\0\x04\x12\x02hi");
    }
}
