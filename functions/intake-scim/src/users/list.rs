//! `GET /Users` and `POST /Users/.search`: what the pool finds by itself is asked of it; the rest is looked for in all of it.

use std::collections::BTreeSet;

use revocation_core::domain::account::Account;
use revocation_core::ports::{AccountFilter, MEANS_NO_ACCOUNT, Searchable};
use revocation_edge::Response;
use revocation_scim::{AttributePath, Filter, ListQuery, ListResponse, Rendering, ScimError};

use super::{resource, sub};
use crate::answer::{self, failed};
use crate::call::Call;
use crate::window::{Budget, Window};

const ADVICE: &str = "the pool has more users than one request can look through; filter by `id`, `userName` or \
    `emails.value` with `eq`, which the pool answers by itself, or by a conjunction with one of them";

/// What of a filter the pool answers by itself: all candidates, among which the filter decides.
enum Lookup<'f> {
    Id(&'f str),
    Attribute(Searchable, &'f str),
}

/// Lists users.
pub(crate) async fn list(call: &Call<'_>, query: &ListQuery) -> Result<Response, ScimError> {
    let Window { page, total, .. } = window(call, query).await?;
    let schema = &call.mapping.published;
    let resources = page.iter().map(|user| Rendering::new(user, schema, &query.projection)).collect();
    Ok(answer::json(200, &ListResponse { total_results: total, start_index: query.start_index, resources }))
}

/// The users on the page.
pub(crate) async fn window(call: &Call<'_>, query: &ListQuery) -> Result<Window, ScimError> {
    if query.filter.as_ref().is_some_and(|filter| mentions(filter, "groups")) {
        return Err(ScimError::invalid_filter(
            "users are not found by `groups`; filter /Groups by `members.value`, or read a group",
        ));
    }
    let mut window = Window::new(query);
    match query.filter.as_ref().and_then(|filter| lookup(call, filter)) {
        Some(Lookup::Id(id)) => {
            if let Ok(sub) = sub(id) {
                let found = call.provider.users.find(call.pool(), &sub).await;
                let found = found.map_err(|error| failed(&error))?;
                consider(call, query, &mut window, found.as_slice());
            }
        }
        Some(Lookup::Attribute(attribute, value)) => {
            if let Some(found) = look_up(call, attribute, value).await? {
                consider(call, query, &mut window, &found);
            } else {
                scan(call, query, &mut window).await?;
            }
        }
        None => scan(call, query, &mut window).await?,
    }
    Ok(window)
}

/// The best of the filter's equalities.
fn lookup<'f>(call: &Call<'_>, filter: &'f Filter) -> Option<Lookup<'f>> {
    let mut best = None;
    for (path, literal) in filter.conjunct_equalities() {
        let Some(value) = literal.as_str() else { continue };
        let Some(key) = call.mapping.schema.resolve(&path).map(|found| found.key()) else { continue };
        if key == "id" {
            return Some(Lookup::Id(value));
        }
        if let Some(attribute) = call.mapping.searchable(&key) {
            best = best.or(Some(Lookup::Attribute(attribute, value)));
        }
    }
    best
}

/// Everybody whose attribute is `value`; `None` if the pool cannot be asked that.
pub(super) async fn look_up(
    call: &Call<'_>,
    attribute: Searchable,
    value: &str,
) -> Result<Option<Vec<Account>>, ScimError> {
    let mut budget = Budget::new(&*call.provider.clock, ADVICE);
    let mut found: Vec<Account> = Vec::new();
    // The pool compares as it stores, SCIM without regard to case: the two spellings met in practice. ASCII's lower case,
    // or the Kelvin sign becomes a `k`.
    for spelling in BTreeSet::from([value.to_owned(), value.to_ascii_lowercase()]) {
        let filter = AccountFilter { attribute, value: &spelling };
        let mut after: Option<String> = None;
        loop {
            budget.spend(0)?;
            let page = match call.provider.users.page(call.pool(), Some(filter), after.as_deref()).await {
                Ok(page) => page,
                Err(error) if MEANS_NO_ACCOUNT.contains(&error.code.as_str()) => return Ok(None),
                Err(error) => return Err(failed(&error)),
            };
            budget.spend(page.accounts.len())?;
            let new = page.accounts.into_iter().filter(|account| found.iter().all(|known| known.sub != account.sub));
            let new: Vec<Account> = new.collect();
            found.extend(new);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    if found.is_empty() && attribute != Searchable::PhoneNumber {
        // Search is some seconds behind, and a client asks whether a user is there right before and after it creates one.
        // Most of these are names to sign in with, which are looked up at once and without regard to case.
        found.extend(call.provider.users.named(call.pool(), value).await.map_err(|error| failed(&error))?);
    }
    Ok(Some(found))
}

async fn scan(call: &Call<'_>, query: &ListQuery, window: &mut Window) -> Result<(), ScimError> {
    let mut budget = Budget::new(&*call.provider.clock, ADVICE);
    let mut after: Option<String> = None;
    loop {
        let page = call.provider.users.page(call.pool(), None, after.as_deref()).await;
        let page = page.map_err(|error| failed(&error))?;
        budget.spend(page.accounts.len())?;
        consider(call, query, window, &page.accounts);
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// Takes those that satisfy the filter into the list.
fn consider(call: &Call<'_>, query: &ListQuery, window: &mut Window, accounts: &[Account]) {
    for account in accounts {
        match &query.filter {
            None => window.take(|| resource(call, account)),
            Some(filter) => {
                let user = resource(call, account);
                if filter.matches(&user, &call.mapping.schema) {
                    window.take(|| user);
                }
            }
        }
    }
}

/// Whether a filter asks for an attribute.
pub(crate) fn mentions(filter: &Filter, attribute: &str) -> bool {
    let is = |path: &AttributePath| path.name.eq_ignore_ascii_case(attribute);
    match filter {
        Filter::And(all) => all.iter().any(|one| mentions(one, attribute)),
        Filter::Or(any) => any.iter().any(|one| mentions(one, attribute)),
        Filter::Not(inner) => mentions(inner, attribute),
        Filter::Present(path) | Filter::Compare(path, ..) | Filter::Values(path, _) => is(path),
    }
}
