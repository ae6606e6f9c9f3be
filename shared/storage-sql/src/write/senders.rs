//! Reads what decides about messages of one user to another, after the mailboxes of both were
//! locked: only for mailboxes whose rows say that there is something to read.

use std::collections::{BTreeMap, BTreeSet};

use domain::number::saturating;
use domain::operation::{Footprint, UserSend};
use domain::{Ledger, Mailbox, Policy, ProfileId};
use storage::Error;

use super::lock::{Footprints, Ledgers};
use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::table::{block, mailbox, msgbox};

/// Reads the blocks between senders and recipients, and the numbers of unread entries of senders in
/// the inboxes that have many.
pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    ledgers: &mut Ledgers,
    footprints: &Footprints,
) -> Result<(), Error> {
    read_blocks(connection, ledgers, footprints).await?;
    read_unused(connection, ledgers, footprints).await?;
    read_unread(connection, ledgers, footprints).await
}

/// Reads the numbers of unused mailboxes that messages of the senders have created, where they may
/// create more.
async fn read_unused<DB: Backend>(
    connection: &mut Connection<DB>,
    ledgers: &mut Ledgers,
    footprints: &Footprints,
) -> Result<(), Error> {
    let mut senders = BTreeSet::new();
    let mut most = 0;
    for (app_no, footprint) in footprints.iter().filter(|(_, it)| !it.sends.is_empty()) {
        let Some(ledger) = ledgers.get(app_no) else {
            continue;
        };
        let max = ledger.policy().quotas.profile_unused_mailboxes;
        if max == 0 || !ledger.mailboxes().any(Mailbox::is_uncaused) {
            continue;
        }
        most = most.max(max);
        for send in &footprint.sends {
            if send.to.iter().any(|owner| ledger.is_uncaused(owner)) {
                let sender = ledger.mailbox(&send.sender);
                senders.extend(sender.map(|sender| (*app_no, sender.mailbox_id)));
            }
        }
    }
    let mut count = BoundStatement::of(&mailbox::UNUSED_OF_SENDERS).bind(most);
    for (app_no, sender_id) in senders {
        count.push_row([app_no.into(), sender_id.into()]);
    }
    if count.is_empty() {
        return Ok(());
    }
    for mut row in connection.fetch(count).await? {
        let (app_no, sender_id, mailboxes) = (row.int()?, row.int()?, row.int()?);
        if let Some(ledger) = ledgers.get_mut(&app_no) {
            ledger.read_unused_mailboxes(sender_id, mailboxes);
        }
    }
    Ok(())
}

async fn read_blocks<DB: Backend>(
    connection: &mut Connection<DB>,
    ledgers: &mut Ledgers,
    footprints: &Footprints,
) -> Result<(), Error> {
    let mut read = BoundStatement::of(&block::READ);
    for (app_no, footprint) in footprints {
        let Some(ledger) = ledgers.get(app_no) else {
            continue;
        };
        for (mailbox_id, profile_id) in possible_blocks(ledger, footprint) {
            let profile_id = profile_id.as_str().into();
            read.push_row([(*app_no).into(), mailbox_id.into(), profile_id]);
        }
    }
    if read.is_empty() {
        return Ok(());
    }
    for mut row in connection.fetch(read).await? {
        let (app_no, mailbox_id) = (row.int()?, row.int()?);
        let block = row.block()?;
        if let Some(ledger) = ledgers.get_mut(&app_no) {
            ledger.read_block(mailbox_id, block);
        }
    }
    Ok(())
}

/// Returns the mailboxes that have blocks, each with the profiles that matter to a footprint.
fn possible_blocks<'a>(
    ledger: &Ledger,
    footprint: &'a Footprint,
) -> BTreeSet<(i64, &'a ProfileId)> {
    if !ledger.mailboxes().any(|mailbox| mailbox.blocks > 0) {
        return BTreeSet::new();
    }
    let changed = footprint.blocks.iter().map(|(owner, other)| (owner, other));
    let of_sends = footprint.sends.iter().flat_map(|send| {
        let others = send.to.iter().filter(|owner| **owner != send.sender);
        others.flat_map(|owner| [(owner, &send.sender), (&send.sender, owner)])
    });
    let possible = changed.chain(of_sends).filter_map(|(owner, other)| {
        let mailbox = ledger.mailbox(owner)?;
        (mailbox.blocks > 0).then_some((mailbox.mailbox_id, other))
    });
    possible.collect()
}

async fn read_unread<DB: Backend>(
    connection: &mut Connection<DB>,
    ledgers: &mut Ledgers,
    footprints: &Footprints,
) -> Result<(), Error> {
    let policies: BTreeMap<i64, Policy> = footprints
        .iter()
        .filter(|(_, footprint)| !footprint.sends.is_empty())
        .filter_map(|(app_no, _)| Some((*app_no, ledgers.get(app_no)?.policy())))
        .collect();
    let unread_max = policies.values().map(|policy| policy.max_unread_per_sender);
    let unread_max: i64 = unread_max.max().map_or(0, saturating);
    let mut count = BoundStatement::of(&msgbox::UNREAD_OF_SENDERS).bind(unread_max);
    for (app_no, policy) in &policies {
        let (Some(ledger), Some(footprint)) = (ledgers.get(app_no), footprints.get(app_no)) else {
            continue;
        };
        for (mailbox_id, sender_id) in crowded(ledger, policy, footprint) {
            count.push_row([(*app_no).into(), mailbox_id.into(), sender_id.into()]);
        }
    }
    if count.is_empty() {
        return Ok(());
    }
    for mut row in connection.fetch(count).await? {
        let (app_no, mailbox_id, sender_id) = (row.int()?, row.int()?, row.int()?);
        let unread = row.int()?;
        if let Some(ledger) = ledgers.get_mut(&app_no) {
            ledger.read_unread_of_sender(mailbox_id, sender_id, unread);
        }
    }
    Ok(())
}

/// Returns the mailboxes to which users send and whose inbox may come to have so many unread
/// entries that those of a sender are counted, each with the mailbox of the sender.
fn crowded(ledger: &Ledger, policy: &Policy, footprint: &Footprint) -> BTreeSet<(i64, i64)> {
    let Some(noted_from) = policy.senders_noted_from() else {
        return BTreeSet::new();
    };
    let new = saturating::<i64, _>(ledger.new_unread_max(footprint));
    let is_crowded = |mailbox: &&Mailbox| mailbox.counts.inbox_unread + new >= noted_from;
    if !ledger.mailboxes().any(|mailbox| is_crowded(&mailbox)) {
        return BTreeSet::new();
    }
    let of_send = |send: &UserSend| {
        let from = ledger.mailbox(&send.sender)?.mailbox_id;
        let others = send.to.iter().filter(|owner| **owner != send.sender);
        let mailboxes = others.filter_map(|owner| ledger.mailbox(owner).filter(is_crowded));
        let pairs: Vec<_> = mailboxes
            .map(|mailbox| (mailbox.mailbox_id, from))
            .collect();
        Some(pairs)
    };
    footprint
        .sends
        .iter()
        .filter_map(of_send)
        .flatten()
        .collect()
}
