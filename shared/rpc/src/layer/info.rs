//! What the layers of a call tell each other.

use std::sync::{Arc, OnceLock};

use domain::AppId;

use super::Call;
use crate::methods::Method;

/// What is known of a call. Clones know the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Info {
    /// The method; none if there is no such method here.
    pub method: Option<Method>,
    /// The caller's app, once the caller is known.
    pub app: Arc<OnceLock<AppId>>,
}

impl Info {
    pub fn of(call: &Call) -> Self {
        call.extensions().get().cloned().unwrap_or_default()
    }

    /// The method's name, out of a fixed list whatever the caller wrote.
    pub fn name(&self) -> &'static str {
        self.method.map_or("_OTHER", |method| method.name)
    }
}
