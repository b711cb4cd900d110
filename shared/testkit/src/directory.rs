//! A user pool's accounts and groups in memory, with faults on order. Its calls are noted among those of the intake, so
//! that their order can be told.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use revocation_core::domain::account::{Account, AccountPage, AccountStatus, Group, GroupPage, NewAccount, Password};
use revocation_core::domain::profile::{Sub, UserPoolId};
use revocation_core::ports::{AccountFilter, Acted, Clock as _, PortError, Refused, Searchable, UserDirectory};

use crate::intake::FakeIntake;

mod groups;

/// Accounts on a page, as Cognito's most.
const PAGE: usize = 60;

/// One pool.
pub struct FakeDirectory {
    intake: Arc<FakeIntake>,
    state: Mutex<State>,
}

/// What is in it.
#[derive(Default)]
pub struct State {
    /// Accounts in the order of their creation.
    pub accounts: Vec<Account>,
    /// Passwords set, by user name.
    pub passwords: BTreeMap<String, String>,
    /// Groups by name.
    pub groups: BTreeMap<String, Group>,
    /// Members: group and user name.
    pub members: BTreeSet<(String, String)>,
    /// `sub`s that search does not find yet.
    pub unindexed: BTreeSet<String>,
    /// Who was invited, by user name.
    pub invited: BTreeSet<String>,
    /// Calls that fail, by name: each is used up by one call.
    pub faults: BTreeMap<&'static str, VecDeque<PortError>>,
    /// Refusals, by name: each is used up by one call.
    pub refusals: BTreeMap<&'static str, VecDeque<Refused>>,
    /// How many reading calls there were, by name.
    pub reads: BTreeMap<&'static str, usize>,
    created: usize,
}

// === impl FakeDirectory ===

impl FakeDirectory {
    /// An empty pool beside an intake.
    #[must_use]
    pub fn new(intake: Arc<FakeIntake>) -> Self {
        Self { intake, state: Mutex::default() }
    }

    /// Looks into it.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The next call named `call` fails without effect.
    pub fn fail(&self, call: &'static str, error: PortError) {
        self.state().faults.entry(call).or_default().push_back(error);
    }

    /// The next call named `call` is refused.
    pub fn refuse(&self, call: &'static str, refused: Refused) {
        self.state().refusals.entry(call).or_default().push_back(refused);
    }

    /// Adds an enabled account with these attributes; returns its `sub`.
    pub fn add(&self, username: &str, attributes: &[(&str, &str)]) -> Sub {
        let attributes = attributes.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        self.insert(username, attributes, AccountStatus::Local).sub
    }

    /// Adds a group with members.
    pub fn add_group(&self, name: &str, usernames: &[&str]) {
        let now = self.intake.clock.now();
        let group = Group { name: name.to_owned(), description: None, created: now, modified: now };
        let mut state = self.state();
        state.groups.insert(name.to_owned(), group);
        state.members.extend(usernames.iter().map(|username| (name.to_owned(), (*username).to_owned())));
    }

    /// The account of this user name.
    pub fn account(&self, username: &str) -> Option<Account> {
        self.state().accounts.iter().find(|account| account.username == username).cloned()
    }

    /// The user names of a group's members.
    pub fn members_of(&self, group: &str) -> Vec<String> {
        self.state().members.iter().filter(|(name, _)| name == group).map(|(_, username)| username.clone()).collect()
    }

    fn insert(&self, username: &str, attributes: BTreeMap<String, String>, status: AccountStatus) -> Account {
        let now = self.intake.clock.now();
        let mut state = self.state();
        state.created += 1;
        let sub = format!("00000000-0000-4000-8000-{:012}", state.created);
        let mut attributes = attributes;
        attributes.insert("sub".to_owned(), sub.clone());
        let account = Account {
            sub: Sub(sub),
            username: username.to_owned(),
            enabled: true,
            status,
            attributes,
            created: now,
            modified: now,
        };
        state.accounts.push(account.clone());
        account
    }

    fn read<T>(&self, name: &'static str, look: impl FnOnce(&State) -> T) -> Result<T, PortError> {
        let mut state = self.state();
        *state.reads.entry(name).or_default() += 1;
        match state.faults.get_mut(name).and_then(VecDeque::pop_front) {
            Some(error) => Err(error),
            None => Ok(look(&state)),
        }
    }

    fn write<T>(
        &self,
        name: &'static str,
        effect: impl FnOnce(&mut State) -> Result<T, Refused>,
    ) -> Result<Result<T, Refused>, PortError> {
        let mut state = self.state();
        if let Some(error) = state.faults.get_mut(name).and_then(VecDeque::pop_front) {
            return Err(error);
        }
        if let Some(refused) = state.refusals.get_mut(name).and_then(VecDeque::pop_front) {
            return Ok(Err(refused));
        }
        self.intake.state().calls.push(name);
        Ok(effect(&mut state))
    }

    fn act(&self, name: &'static str, username: &str, effect: impl FnOnce(&mut Account)) -> Result<Acted, PortError> {
        let done = self.write(name, |state| state.named(username).map(effect))?;
        Ok(if done.is_ok() { Acted::Done } else { Acted::NotNeeded("user_not_found") })
    }
}

// === impl State ===

impl State {
    fn named(&mut self, username: &str) -> Result<&mut Account, Refused> {
        self.accounts.iter_mut().find(|account| account.username == username).ok_or(Refused::NotFound)
    }

    fn page<'a>(accounts: impl Iterator<Item = &'a Account>, after: Option<&str>) -> AccountPage {
        let from: usize = after.map_or(0, |after| after.parse().unwrap());
        let mut rest = accounts.skip(from).peekable();
        let mut page = AccountPage::default();
        while page.accounts.len() < PAGE
            && let Some(account) = rest.next()
        {
            page.accounts.push(account.clone());
        }
        page.next = rest.peek().map(|_| (from + PAGE).to_string());
        page
    }

    fn group_page<'a>(groups: impl Iterator<Item = &'a Group>, after: Option<&str>) -> GroupPage {
        let from: usize = after.map_or(0, |after| after.parse().unwrap());
        let groups: Vec<Group> = groups.skip(from).cloned().collect();
        let next = (groups.len() > PAGE).then(|| (from + PAGE).to_string());
        GroupPage { groups: groups.into_iter().take(PAGE).collect(), next }
    }
}

fn signs_in_as(account: &Account, name: &str) -> bool {
    let is = |attribute: &str| account.attribute(attribute).is_some_and(|value| value.eq_ignore_ascii_case(name));
    account.username.eq_ignore_ascii_case(name)
        || is("email")
        || is("preferred_username")
        || (account.sub.0 == name && account.status != AccountStatus::Federated)
}

#[async_trait]
impl UserDirectory for FakeDirectory {
    async fn find(&self, _: &UserPoolId, sub: &Sub) -> Result<Option<Account>, PortError> {
        FakeDirectory::read(self, "find", |state| state.accounts.iter().find(|account| account.sub == *sub).cloned())
    }

    async fn read(&self, _: &UserPoolId, sub: &Sub) -> Result<Option<Account>, PortError> {
        FakeDirectory::read(self, "read_user", |state| {
            state.accounts.iter().find(|account| account.sub == *sub).cloned()
        })
    }

    async fn named(&self, _: &UserPoolId, name: &str) -> Result<Option<Account>, PortError> {
        FakeDirectory::read(self, "named", |state| {
            state.accounts.iter().find(|account| signs_in_as(account, name)).cloned()
        })
    }

    async fn page(
        &self,
        _: &UserPoolId,
        filter: Option<AccountFilter<'_>>,
        after: Option<&str>,
    ) -> Result<AccountPage, PortError> {
        FakeDirectory::read(self, "page", |state| {
            let fits = |account: &&Account| {
                let searched = !state.unindexed.contains(&account.sub.0);
                searched
                    && filter.is_none_or(|filter| match filter.attribute {
                        Searchable::Sub => account.sub.0 == filter.value,
                        Searchable::Username => account.username == filter.value,
                        Searchable::Email => account.attribute("email") == Some(filter.value),
                        Searchable::PhoneNumber => account.attribute("phone_number") == Some(filter.value),
                        Searchable::PreferredUsername => account.attribute("preferred_username") == Some(filter.value),
                    })
            };
            State::page(state.accounts.iter().filter(fits), after)
        })
    }

    async fn create(&self, _: &UserPoolId, new: &NewAccount) -> Result<Result<Account, Refused>, PortError> {
        let taken = |account: &Account| {
            signs_in_as(account, &new.username)
                || new.attributes.get("email").is_some_and(|email| account.attribute("email") == Some(email))
        };
        let free =
            self.write("create", |state| if state.accounts.iter().any(taken) { Err(Refused::Taken) } else { Ok(()) })?;
        Ok(free.map(|()| {
            if new.invite {
                self.state().invited.insert(new.username.clone());
            }
            self.insert(&new.username, new.attributes.clone(), AccountStatus::Invited)
        }))
    }

    async fn update(
        &self,
        _: &UserPoolId,
        username: &str,
        attributes: &BTreeMap<String, Option<String>>,
    ) -> Result<Result<(), Refused>, PortError> {
        self.write("update", |state| {
            let account = state.named(username)?;
            for (name, value) in attributes {
                match value {
                    Some(value) => drop(account.attributes.insert(name.clone(), value.clone())),
                    None => drop(account.attributes.remove(name)),
                }
            }
            Ok(())
        })
    }

    async fn set_password(
        &self,
        _: &UserPoolId,
        username: &str,
        password: &Password,
    ) -> Result<Result<(), Refused>, PortError> {
        self.write("set_password", |state| {
            state.named(username)?.status = AccountStatus::Local;
            state.passwords.insert(username.to_owned(), password.expose().to_owned());
            Ok(())
        })
    }

    async fn enable(&self, _: &UserPoolId, username: &str) -> Result<Acted, PortError> {
        self.act("enable", username, |account| account.enabled = true)
    }

    async fn disable(&self, _: &UserPoolId, username: &str) -> Result<Acted, PortError> {
        self.act("disable", username, |account| account.enabled = false)
    }

    async fn delete(&self, _: &UserPoolId, username: &str) -> Result<Acted, PortError> {
        let gone = self.act("delete", username, |_| ())?;
        let mut state = self.state();
        state.accounts.retain(|account| account.username != username);
        state.members.retain(|(_, member)| member != username);
        Ok(gone)
    }
}
