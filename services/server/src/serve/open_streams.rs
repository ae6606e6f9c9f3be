//! Bounds of the streams of health and reflection, most of which need no token: places of a
//! listener, and places of each connection.

use std::sync::Arc;

use http::Extensions;
use rpc::RpcError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::{
    REFLECTIONS_MAX, REFLECTIONS_PER_CONNECTION_MAX, WATCHES_MAX, WATCHES_PER_CONNECTION_MAX,
};

/// Kind of a bounded stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamKind {
    /// `Watch` of the health service.
    Watch,
    /// Reflection, in either version.
    Reflection,
}

/// Places of a listener for streams of one kind. Clones share them.
#[derive(Debug, Clone)]
pub struct StreamPlaces {
    kind: StreamKind,
    free: Arc<Semaphore>,
}

/// Places of a connection, in the extensions of its calls. Clones share them.
#[derive(Debug, Clone)]
pub struct ConnectionPlaces {
    watches: Arc<Semaphore>,
    reflections: Arc<Semaphore>,
}

/// Place of an open stream, free again when this is dropped.
#[derive(Debug)]
pub struct StreamPlace {
    _of_listener: OwnedSemaphorePermit,
    _of_connection: OwnedSemaphorePermit,
}

impl StreamPlaces {
    pub fn new(kind: StreamKind) -> Self {
        let places = match kind {
            StreamKind::Watch => WATCHES_MAX,
            StreamKind::Reflection => REFLECTIONS_MAX,
        };
        Self {
            kind,
            free: Arc::new(Semaphore::new(places)),
        }
    }

    /// Takes a place of the listener and one of the call's connection.
    ///
    /// # Errors
    /// [`RpcError::TooManyStreams`] if there is none.
    pub fn take(&self, extensions: &Extensions) -> Result<StreamPlace, RpcError> {
        let connection = extensions.get::<ConnectionPlaces>();
        let connection = connection.ok_or_else(|| RpcError::internal("no connection"))?;
        let free = match self.kind {
            StreamKind::Watch => &connection.watches,
            StreamKind::Reflection => &connection.reflections,
        };
        let place = |free: &Arc<Semaphore>| {
            let permit = free.clone().try_acquire_owned();
            permit.map_err(|_| RpcError::TooManyStreams)
        };
        Ok(StreamPlace {
            _of_connection: place(free)?,
            _of_listener: place(&self.free)?,
        })
    }
}

impl ConnectionPlaces {
    pub fn new() -> Self {
        Self {
            watches: Arc::new(Semaphore::new(WATCHES_PER_CONNECTION_MAX)),
            reflections: Arc::new(Semaphore::new(REFLECTIONS_PER_CONNECTION_MAX)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection() -> Extensions {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectionPlaces::new());
        extensions
    }

    #[test]
    fn a_connection_has_one_place_for_a_watch() {
        let places = StreamPlaces::new(StreamKind::Watch);
        let (one, other) = (connection(), connection());
        let place = places.take(&one).expect("a place");
        let refused = places.take(&one).expect_err("refused");
        assert!(matches!(refused, RpcError::TooManyStreams));
        places.take(&other).expect("a place");
        drop(place);
        places.take(&one).expect("a place");
    }

    #[test]
    fn the_places_of_a_listener_are_limited() {
        let places = StreamPlaces::new(StreamKind::Reflection);
        let taken: Vec<_> = (0..REFLECTIONS_MAX)
            .map(|_| places.take(&connection()).expect("a place"))
            .collect();
        let refused = places.take(&connection()).expect_err("refused");
        assert!(matches!(refused, RpcError::TooManyStreams));
        drop(taken);
        places.take(&connection()).expect("a place");
    }
}
