//! Facts about a call that its layers share.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use domain::AppId;

use super::HttpRequest;
use crate::methods::Method;

/// Facts about a call. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct CallInfo {
    /// Method; none for an unknown path.
    pub method: Option<Method>,
    /// Address of the peer, which may be a proxy.
    pub peer: Option<SocketAddr>,
    /// App of the caller, set after authentication.
    pub app: Arc<OnceLock<AppId>>,
}

impl CallInfo {
    pub fn of(call: &HttpRequest) -> Self {
        call.extensions().get().cloned().unwrap_or_default()
    }

    /// Returns the name of the method, one of a fixed list for any path.
    pub fn name(&self) -> &'static str {
        self.method.map_or("_OTHER", |method| method.name())
    }
}
