//! The groups of the pool.

use async_trait::async_trait;
use revocation_core::domain::account::{Account, AccountPage, Group, GroupPage};
use revocation_core::domain::profile::UserPoolId;
use revocation_core::ports::{Acted, Clock as _, GroupDirectory, PortError, Refused};

use super::{FakeDirectory, State};

#[async_trait]
impl GroupDirectory for FakeDirectory {
    async fn group(&self, _: &UserPoolId, name: &str) -> Result<Option<Group>, PortError> {
        FakeDirectory::read(self, "group", |state| state.groups.get(name).cloned())
    }

    async fn groups(&self, _: &UserPoolId, after: Option<&str>) -> Result<GroupPage, PortError> {
        FakeDirectory::read(self, "groups", |state| State::group_page(state.groups.values(), after))
    }

    async fn create_group(
        &self,
        _: &UserPoolId,
        name: &str,
        description: &str,
    ) -> Result<Result<Group, Refused>, PortError> {
        let now = self.intake.clock.now();
        self.write("create_group", |state| {
            if state.groups.contains_key(name) {
                return Err(Refused::Taken);
            }
            let description = Some(description.to_owned());
            let group = Group { name: name.to_owned(), description, created: now, modified: now };
            state.groups.insert(name.to_owned(), group.clone());
            Ok(group)
        })
    }

    async fn describe_group(
        &self,
        _: &UserPoolId,
        name: &str,
        description: &str,
    ) -> Result<Result<(), Refused>, PortError> {
        self.write("describe_group", |state| {
            let group = state.groups.get_mut(name).ok_or(Refused::NotFound)?;
            group.description = Some(description.to_owned());
            Ok(())
        })
    }

    async fn delete_group(&self, _: &UserPoolId, name: &str) -> Result<Acted, PortError> {
        let done = self.write("delete_group", |state| {
            state.members.retain(|(group, _)| group != name);
            state.groups.remove(name).map(drop).ok_or(Refused::NotFound)
        })?;
        Ok(if done.is_ok() { Acted::Done } else { Acted::NotNeeded("group_not_found") })
    }

    async fn members(&self, _: &UserPoolId, name: &str, after: Option<&str>) -> Result<Option<AccountPage>, PortError> {
        FakeDirectory::read(self, "members", |state| {
            state.groups.contains_key(name).then(|| {
                let is_member =
                    |account: &&Account| state.members.contains(&(name.to_owned(), account.username.clone()));
                State::page(state.accounts.iter().filter(is_member), after)
            })
        })
    }

    async fn groups_of(&self, _: &UserPoolId, username: &str, after: Option<&str>) -> Result<GroupPage, PortError> {
        FakeDirectory::read(self, "groups_of", |state| {
            let has = |group: &&Group| state.members.contains(&(group.name.clone(), username.to_owned()));
            State::group_page(state.groups.values().filter(has), after)
        })
    }

    async fn add_member(&self, _: &UserPoolId, name: &str, username: &str) -> Result<Result<(), Refused>, PortError> {
        self.write("add_member", |state| {
            state.named(username)?;
            state.members.insert((name.to_owned(), username.to_owned()));
            Ok(())
        })
    }

    async fn remove_member(&self, _: &UserPoolId, name: &str, username: &str) -> Result<Acted, PortError> {
        let done = self.write("remove_member", |state| {
            state.members.remove(&(name.to_owned(), username.to_owned()));
            Ok(())
        })?;
        Ok(if done.is_ok() { Acted::Done } else { Acted::NotNeeded("user_not_found") })
    }
}
