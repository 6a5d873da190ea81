"""The keys of a stack: made once, kept for their owner only, and given to those who need them."""

import json
from pathlib import Path

from contracts.offer_links import SHORTEST_KEY
from devstack.config import ROLES, SERVICES, Addresses, StackConfig
from devstack.embedded import EmbeddedKafka, EmbeddedPostgres
from devstack.home import Home
from devstack.keys import StackKeys


def test_keys_are_for_their_owner_only_and_stay(tmp_path: Path) -> None:
    home = Home(tmp_path)
    first = StackKeys.load(home, roles=("sourcing",))
    assert home.secrets_file.stat().st_mode & 0o777 == 0o600
    assert StackKeys.load(home, roles=("sourcing", "referral")).databases["sourcing"] == first.databases["sourcing"]
    assert StackKeys.load(home).token_signing == first.token_signing


def test_a_key_that_an_older_stack_did_not_have_is_made_once(tmp_path: Path) -> None:
    home = Home(tmp_path)
    older = StackKeys.load(home).model_dump(exclude={"offer_links"})
    home.secrets_file.write_text(json.dumps(older))
    first = StackKeys.load(home)
    assert (first.token_signing, StackKeys.load(home)) == (older["token_signing"], first)


def test_links_are_signed_and_checked_with_one_key_that_nobody_else_has(tmp_path: Path) -> None:
    keys = StackKeys.load(Home(tmp_path), roles=ROLES)
    servers = EmbeddedPostgres(tmp_path / "postgres"), EmbeddedKafka(tmp_path / "kafka", tmp_path)
    around = StackConfig(Home(tmp_path), keys, Addresses.from_free_ports(), *servers)
    told = {each.name: around.build_environment(each).get("CALLOFF_OFFER_LINK_KEY") for each in SERVICES}
    assert {name: key for name, key in told.items() if key is not None} == {
        "sourcing": keys.offer_links,
        "provider-registry": keys.offer_links,
    }
    assert len(keys.offer_links) >= SHORTEST_KEY
