//! Methods that come with later issues say so, and do nothing.

use std::fmt::Debug;

use proto::sys::v1 as sys;
use support::on_each_database;
use support::service::TestService;
use tonic::{Code, Response, Status};

use super::words::{counts, refused, send};

async fn assert_later<T: Debug>(call: impl Future<Output = Result<Response<T>, Status>>) {
    let status = refused(call).await;
    assert_eq!(status.code(), Code::Unimplemented);
    assert!(status.message().ends_with("is not implemented"));
    assert!(status.details().is_empty());
}

async fn the_app_cannot_send_to_segments_yet(test: &TestService) {
    send(test, "alice", &["bob"]).await;
    let mut app = test.sys();
    let pieces = futures::stream::iter([sys::SendToProfilesRequest::default()]);
    assert_later(app.send_to_profiles(pieces)).await;
    assert_later(app.get_send_job(sys::GetSendJobRequest::default())).await;
    assert_later(app.cancel_send_job(sys::CancelSendJobRequest::default())).await;
    assert_eq!(counts(test, "bob").await, (1, 1, 0));
}

on_each_database![the_app_cannot_send_to_segments_yet];
