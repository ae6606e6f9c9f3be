//! Pages by their contexts.

use proto::v1::{SortDirection, SortField};
use support::on_each_database;
use support::service::TestService;

use super::{PageReader, PagedMethod, ShownPage, ascending, ids_of, reversed, rows, sorted};
use crate::api::builders::{delete, mark, send_many, strings};

async fn a_walk_meets_every_row_exactly_once_in_both_directions(test: &TestService) {
    let sent = send_many(test, 10).await;
    let mut reader = PageReader::of(test);
    for listing in PagedMethod::ALL {
        for (context, expected) in [
            (rows(3), reversed(&sent)),
            (ascending(rows(3)), sent.clone()),
        ] {
            let first = reader.page(listing, context).await;
            let pages = reader.walk(listing, first).await;
            assert_eq!(ids_of(&pages), expected, "{listing:?}");
            let shape = |page: &ShownPage| (page.number, page.ids.len(), page.more);
            let shapes: Vec<_> = pages.iter().map(shape).collect();
            let whole = [
                (1, 3, (false, true)),
                (2, 3, (true, true)),
                (3, 3, (true, true)),
                (4, 1, (true, false)),
            ];
            assert_eq!(shapes, whole, "{listing:?}");

            let mut back = vec![pages[3].clone()];
            while back[0].more.0 {
                let before = reader.turn(listing, &back[0], -1).await;
                back.insert(0, before);
            }
            assert_eq!(ids_of(&back), expected, "{listing:?}");
            assert_eq!(back.iter().map(shape).collect::<Vec<_>>(), whole);
        }
    }
}

async fn a_page_past_the_end_is_empty_and_leads_back_to_the_last_rows(test: &TestService) {
    let sent = reversed(&send_many(test, 5).await);
    let mut reader = PageReader::of(test);
    for listing in PagedMethod::ALL {
        let first = reader.page(listing, rows(2)).await;
        let beyond = reader.turn(listing, &first, 7).await;
        assert_eq!((beyond.number, beyond.ids.len()), (8, 0), "{listing:?}");
        assert_eq!(beyond.more, (true, false));
        let further = reader.turn(listing, &beyond, 1).await;
        assert_eq!((further.number, further.ids.len()), (9, 0));
        let back = reader.turn(listing, &beyond, -1).await;
        assert_eq!((back.number, &back.ids[..]), (7, &sent[3..]), "{listing:?}");
        assert_eq!(back.more, (true, false));
        let by_number = reader.page(listing, super::place(2, 8)).await;
        assert_eq!((by_number.number, by_number.ids.len()), (8, 0));
        let back = reader.turn(listing, &by_number, -1).await;
        assert_eq!(back.ids, sent[3..], "{listing:?}");
    }
}

async fn an_offset_before_the_first_page_leads_to_the_rows_in_its_place(test: &TestService) {
    send_many(test, 5).await;
    let mut reader = PageReader::of(test);
    for listing in PagedMethod::ALL {
        let first = reader.page(listing, rows(2)).await;
        let again = reader.turn(listing, &first, -1).await;
        assert_eq!((&again.ids, again.number), (&first.ids, 1), "{listing:?}");
        let second = reader.turn(listing, &first, 1).await;
        let newest = send_many(test, 1).await;
        for (from, offset, ids, more_before) in [
            (&first, -1, &newest, false),
            (&first, -5, &newest, false),
            (&second, -2, &first.ids, true),
            (&second, i32::MIN, &first.ids, true),
        ] {
            let page = reader.turn(listing, from, offset).await;
            let shown = (&page.ids, page.number, page.more);
            let expected = (ids, 1, (more_before, true));
            assert_eq!(shown, expected, "{listing:?} {offset}");
        }
    }
}

async fn paging_back_over_arrivals_leaves_no_hole(test: &TestService) {
    let mut sent = send_many(test, 11).await;
    let mut reader = PageReader::of(test);
    for listing in PagedMethod::ALL {
        let mut pages = vec![reader.page(listing, rows(5)).await];
        let late = send_many(test, 12).await;
        while pages[0].more.0 || pages.len() == 1 {
            let before = reader.turn(listing, &pages[0], -1).await;
            pages.insert(0, before);
        }
        let shown: Vec<_> = [&sent[sent.len() - 5..], &late].concat();
        assert_eq!(ids_of(&pages), reversed(&shown), "{listing:?}");
        sent.extend(late);
    }
}

async fn an_offset_of_n_passes_over_n_minus_one_pages(test: &TestService) {
    let sent = reversed(&send_many(test, 12).await);
    let mut reader = PageReader::of(test);
    for listing in PagedMethod::ALL {
        let first = reader.page(listing, rows(2)).await;
        for (offset, expected) in [(0, 0), (1, 2), (3, 6), (5, 10)] {
            let page = reader.turn(listing, &first, offset).await;
            assert_eq!(
                page.ids,
                sent[expected..expected + 2],
                "{listing:?} {offset}"
            );
            assert_eq!(page.number, offset + 1);
        }
        let last = reader.turn(listing, &first, 5).await;
        for (offset, expected) in [(0, 10), (-1, 8), (-2, 6), (-5, 0)] {
            let page = reader.turn(listing, &last, offset).await;
            assert_eq!(
                page.ids,
                sent[expected..expected + 2],
                "{listing:?} {offset}"
            );
            assert_eq!(page.number, 6 + offset);
        }
        let far = reader.turn(listing, &first, i32::MAX).await;
        assert_eq!((far.number, far.ids.len()), (i32::MAX, 0));
    }
}

async fn later_arrivals_repeat_no_row_and_hide_none(test: &TestService) {
    let sent = send_many(test, 7).await;
    let mut reader = PageReader::of(test);
    for listing in PagedMethod::ALL {
        let first = reader.page(listing, rows(3)).await;
        let expected = reader.walk(listing, first.clone()).await;
        send_many(test, 4).await;
        let pages = reader.walk(listing, first).await;
        assert_eq!(ids_of(&pages), ids_of(&expected), "{listing:?}");

        let first = reader.page(listing, ascending(rows(3))).await;
        let late = send_many(test, 2).await;
        let pages = ids_of(&reader.walk(listing, first).await);
        assert_eq!(pages[..7], sent, "{listing:?}");
        assert_eq!(pages[pages.len() - 2..], late, "{listing:?}");
    }
}

async fn entries_deleted_meanwhile_hide_no_remaining_entry(test: &TestService) {
    let sent = reversed(&send_many(test, 12).await);
    let mut reader = PageReader::of(test);
    let mut gone = Vec::new();
    for (listing, from) in [(PagedMethod::Own, 2), (PagedMethod::OfOwner, 4)] {
        let first = reader.page(listing, rows(3)).await;
        // The last row of this page, and the first of the next.
        let going = [&sent[from], &sent[from + 1]];
        assert_eq!(first.ids.last(), Some(going[0]), "{listing:?}");
        assert_eq!(delete(test, "bob", "inbox", &going).await, 2);
        gone.extend(strings(&going));
        let next = reader.turn(listing, &first, 1).await;
        let rest = ids_of(&reader.walk(listing, next).await);
        assert_eq!(rest, sent[from + 2..], "{listing:?}");
    }
    let whole = reader.page(PagedMethod::Own, rows(0)).await;
    let stays = |id: &&String| !gone.contains(id);
    let left: Vec<_> = sent.iter().filter(stays).cloned().collect();
    assert_eq!(whole.ids, left);
}

async fn sorting_by_update_time_uses_the_last_change(test: &TestService) {
    let sent = send_many(test, 4).await;
    test.store.clock.advance(1000);
    mark(test, &[&sent[1]], false).await;
    mark(test, &[&sent[0]], false).await;
    let expected = strings(&[&sent[0], &sent[1], &sent[3], &sent[2]]);
    let mut reader = PageReader::of(test);
    for listing in [PagedMethod::Own, PagedMethod::OfOwner] {
        for (direction, expected) in [
            (SortDirection::Descending, expected.clone()),
            (SortDirection::Ascending, reversed(&expected)),
        ] {
            let context = sorted(rows(3), SortField::UpdateTime, direction);
            let first = reader.page(listing, context).await;
            let pages = reader.walk(listing, first).await;
            assert_eq!(ids_of(&pages), expected, "{listing:?}");
            let back = reader.turn(listing, &pages[1], -1).await;
            assert_eq!(back.ids, expected[..3], "{listing:?}");
        }
    }
}

on_each_database![
    a_walk_meets_every_row_exactly_once_in_both_directions,
    a_page_past_the_end_is_empty_and_leads_back_to_the_last_rows,
    an_offset_before_the_first_page_leads_to_the_rows_in_its_place,
    paging_back_over_arrivals_leaves_no_hole,
    an_offset_of_n_passes_over_n_minus_one_pages,
    later_arrivals_repeat_no_row_and_hide_none,
    entries_deleted_meanwhile_hide_no_remaining_entry,
    sorting_by_update_time_uses_the_last_change,
];
