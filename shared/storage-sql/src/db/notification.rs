//! Notifications between the stores on one database.

/// The channel of LISTEN and NOTIFY.
pub const CHANNEL: &str = "postroom";

/// The receiving end of [`CHANNEL`].
pub trait NotificationHandler: Send + Sync {
    /// Handles the payload of a notification.
    fn on_notification(&self, payload: &str);

    /// Called when the connection was made or made anew: notifications may have been missed.
    fn on_gap(&self);

    /// Called when the connection was lost, or could not be made.
    fn on_disconnect(&self);
}
