//! Quotas that each method counts for.

use proto::sys::v1::{AppSettings, UpdateAppSettingsRequest};
use proto::v1::ErrorReason;
use rpc::stack::Stack;
use support::issuer::{ALL_SCOPES, TestIssuer};
use support::on_each_database;
use support::service::TestService;

use super::matrix::call;
use super::table::{AccessRule, AllowedCallers, ROWS};
use crate::api::builders::{ok, with};

/// Users' methods that send. All others count as calls only.
const SENDS: [&str; 3] = [
    "/postroom.v1.Messaging/SendMessage",
    "/postroom.v1.Messaging/SendMessageSimple",
    "/postroom.v1.Messaging/EditMessage",
];

/// The app's methods that send. All count as calls of the app, too.
const APP_SENDS: [&str; 4] = [
    "/postroom.sys.v1.Sys/SendMessage",
    "/postroom.sys.v1.Sys/SendMessageSimple",
    "/postroom.sys.v1.Sys/SendBulk",
    "/postroom.sys.v1.Sys/SendToProfiles",
];

/// A quota of one a second, and which methods count for it.
struct Quota {
    name: &'static str,
    set: fn(&mut AppSettings),
    counts: fn(&AccessRule) -> bool,
}

const QUOTAS: [Quota; 4] = [
    Quota {
        name: "calls of a profile",
        set: |it| (it.profile_calls_per_second, it.profile_calls_burst) = (Some(1), Some(1)),
        counts: |row| row.who == AllowedCallers::User,
    },
    Quota {
        name: "sends of a profile",
        set: |it| (it.profile_sends_per_second, it.profile_sends_burst) = (Some(1), Some(1)),
        counts: |row| SENDS.contains(&row.path),
    },
    Quota {
        name: "sends of an app",
        set: |it| (it.app_sends_per_second, it.app_sends_burst) = (Some(1), Some(1)),
        counts: |row| SENDS.contains(&row.path) || APP_SENDS.contains(&row.path),
    },
    Quota {
        name: "calls of an app",
        set: |it| (it.app_calls_per_second, it.app_calls_burst) = (Some(1), Some(1)),
        counts: |row| row.who != AllowedCallers::User,
    },
];

/// Calls that are tried until one is too many, where one must be.
const TRIES_MAX: usize = 20;

async fn each_method_counts_for_its_quotas_and_no_other(test: &TestService) {
    let now_s = test.now_s();
    let mut wrong = Vec::new();
    for (number, quota) in QUOTAS.iter().enumerate() {
        for (method, row) in ROWS.iter().enumerate() {
            // An app for each, so that all buckets are full.
            let app = format!("app-{number}-{method}");
            let request = UpdateAppSettingsRequest {
                settings: Some(with(quota.set)),
                ..Default::default()
            };
            let mut admin = test.sys_of(&app, ALL_SCOPES);
            ok(admin.update_app_settings(request)).await;
            let (stack, token) = match row.who {
                AllowedCallers::User => (
                    &test.listeners.messaging,
                    TestIssuer::shared().user(&app, "alice", now_s),
                ),
                AllowedCallers::Sys(_) => (
                    &test.listeners.sys,
                    TestIssuer::shared().sys(&app, ALL_SCOPES, now_s),
                ),
            };
            let counts = (quota.counts)(row);
            let tries = if counts { TRIES_MAX } else { 3 };
            if is_limited(stack, row.path, &token, tries).await != counts {
                wrong.push(format!("{} for {}", row.path, quota.name));
            }
        }
    }
    assert!(wrong.is_empty(), "wrong: {}", wrong.join(", "));
}

async fn is_limited(stack: &Stack, path: &'static str, token: &str, tries: usize) -> bool {
    for _ in 0..tries {
        let (_, reason) = call(stack, path, token).await;
        if reason == Some(ErrorReason::RateLimited) {
            return true;
        }
    }
    false
}

on_each_database![each_method_counts_for_its_quotas_and_no_other];
