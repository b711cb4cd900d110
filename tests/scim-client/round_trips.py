"""RFC 7644 round trips against a running provider, by a client and a checker nobody here wrote: scim2-client and scim2-tester.

usage: round_trips.py --facts FILE

FILE is the local cloud's (target/local-cloud.json). Ends with a line as cargo's test runner has it, and fails if a check does.
"""

import argparse
import json
import sys
import time
import uuid
import warnings
from pathlib import Path

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import Group, ListResponse, NotFoundException, PatchOp, PatchOperation, ResponseParameters
from scim2_models import SearchRequest, UniquenessException, User
from scim2_tester import check_server
from scim2_tester.utils import Status

FAILURES = {Status.ERROR, Status.CRITICAL}
# An account is enabled or disabled: `active` can be changed, not be without a value. The one address that is kept is the
# primary one, whatever was sent: Okta imports addresses by `primary`.
KNOWN = {("User", "did not remove attribute 'active'"), ("User", "Attribute 'active' was not removed"),
         ("User", "unexpected value for 'emails'")}
# The revocation disables too, shortly after the answer; an account that is reactivated sooner is disabled once more.
REVOCATION_SECONDS = 3


class Checks:
    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    def note(self, name: str, holds: bool, why: str = "") -> None:
        self.passed += holds
        self.failed += not holds
        print(f"{'ok    ' if holds else 'FAILED'} {name}{'' if holds else ': ' + why}")

    def run(self, check) -> None:
        try:
            check()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            self.note(check.__name__, False, f"{type(error).__name__}: {error}")
        else:
            self.note(check.__name__, True)


def compliance(client: SyncSCIMClient, checks: Checks) -> None:
    for result in check_server(client):
        if result.status is Status.SKIPPED:
            continue
        name = f"scim2-tester {result.resource_type or ''} {result.title}"
        if any(kind == result.resource_type and words in str(result.reason) for kind, words in KNOWN):
            print(f"known  {name}: {result.reason}")
            continue
        checks.note(f"{name} [{result.status.name.lower()}]", result.status not in FAILURES, str(result.reason))


def round_trips(client: SyncSCIMClient, checks: Checks) -> None:
    user_model = client.get_resource_model("User") or User
    group_model = client.get_resource_model("Group") or Group
    name = f"round-{uuid.uuid4().hex[:12]}"
    address = f"{name}@example.com"
    made: dict[str, object] = {}

    def patch(model, *operations):
        return PatchOp[model](operations=[PatchOperation[model](**one) for one in operations])

    def a_user_is_created_and_read_back():
        user = user_model(user_name=address, external_id=f"x-{name}", active=True,
                          emails=[{"value": address, "type": "work", "primary": True}])
        made["user"] = client.create(user)
        read = client.query(user_model, made["user"].id)
        assert (read.user_name, read.external_id, read.active) == (address, f"x-{name}", True), read
        assert read.emails[0].value == address
        assert read.meta.location.endswith(f"/Users/{read.id}"), read.meta.location

    def the_same_user_again_is_a_conflict():
        try:
            client.create(user_model(user_name=address))
        except UniquenessException:
            return
        raise AssertionError("it was created twice")

    def a_filter_finds_the_user():
        for question in [f'userName eq "{address}"', f'externalId eq "x-{name}"', f'emails.value eq "{address}"',
                         f'userName sw "{name}" and active eq true']:
            found = client.query(user_model, query_parameters=SearchRequest(filter=question))
            assert isinstance(found, ListResponse) and found.total_results == 1, (question, found)
            assert found.resources[0].id == made["user"].id

    def attributes_can_be_chosen():
        some = client.query(user_model, made["user"].id, query_parameters=ResponseParameters(attributes=["userName"]))
        assert some.user_name == address and some.emails is None, some

    def a_search_by_post_finds_the_user():
        found = client.search(SearchRequest(filter=f'userName eq "{address}"'))
        assert found.total_results == 1, found

    def a_put_replaces():
        user = client.query(user_model, made["user"].id)
        user.external_id = f"y-{name}"
        assert client.replace(user).external_id == f"y-{name}"
        assert client.query(user_model, user.id).external_id == f"y-{name}"

    def a_patch_deactivates_and_reactivates():
        for active in (False, True):
            client.modify(user_model, made["user"].id, patch(user_model, {"op": "replace", "path": "active", "value": active}))
            assert client.query(user_model, made["user"].id).active is active
            time.sleep(0 if active else REVOCATION_SECONDS)

    def a_group_is_created_with_a_member():
        group = group_model(display_name=f"Group {name}", members=[{"value": made["user"].id}])
        made["group"] = client.create(group)
        read = client.query(group_model, made["group"].id)
        assert read.display_name == f"Group {name}" and [one.value for one in read.members] == [made["user"].id], read

    def the_user_names_the_group():
        read = client.query(user_model, made["user"].id)
        assert [one.value for one in read.groups] == [made["group"].id], read.groups

    def a_group_is_renamed_and_emptied():
        client.modify(group_model, made["group"].id, patch(
            group_model, {"op": "replace", "path": "displayName", "value": f"Renamed {name}"},
            {"op": "remove", "path": f'members[value eq "{made["user"].id}"]'}))
        read = client.query(group_model, made["group"].id)
        assert read.display_name == f"Renamed {name}" and not read.members, read

    def a_group_is_deleted():
        client.delete(group_model, made["group"].id)
        gone(group_model, made["group"].id)

    def a_user_is_deleted():
        client.delete(user_model, made["user"].id)
        gone(user_model, made["user"].id)

    def gone(model, resource_id):
        try:
            client.query(model, resource_id)
        except NotFoundException:
            return
        raise AssertionError("it is still there")

    for check in [a_user_is_created_and_read_back, the_same_user_again_is_a_conflict, a_filter_finds_the_user,
                  attributes_can_be_chosen, a_search_by_post_finds_the_user, a_put_replaces,
                  a_patch_deactivates_and_reactivates, a_group_is_created_with_a_member, the_user_names_the_group,
                  a_group_is_renamed_and_emptied, a_group_is_deleted, a_user_is_deleted]:
        checks.run(check)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--facts", type=Path, required=True, help="facts of the running local cloud")
    facts = json.loads(arguments.parse_args().facts.read_text())
    warnings.simplefilter("ignore", DeprecationWarning)
    checks = Checks()
    http = Client(base_url=facts["scim_url"], headers={"Authorization": f"Bearer {facts['scim_token']}"}, timeout=30)
    client = SyncSCIMClient(http)
    client.discover()
    round_trips(client, checks)
    compliance(SyncSCIMClient(http), checks)
    print(f"test result: {'FAILED' if checks.failed else 'ok'}. {checks.passed} passed; {checks.failed} failed;")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
