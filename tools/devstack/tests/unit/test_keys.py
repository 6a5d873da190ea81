"""The keys of a stack: generated once, readable by their owner only, and passed to the services that need them."""

import json
from pathlib import Path

from contracts.offer_links import MIN_KEY_LENGTH
from devstack.config import ROLES, SERVICES, Addresses, StackConfig
from devstack.embedded import EmbeddedKafka, EmbeddedPostgres
from devstack.home import Home
from devstack.keys import StackKeys


def test_keys_are_readable_by_their_owner_only_and_do_not_change(tmp_path: Path) -> None:
    home = Home(tmp_path)
    first = StackKeys.load(home, roles=("sourcing",))
    assert home.secrets_file.stat().st_mode & 0o777 == 0o600
    assert StackKeys.load(home, roles=("sourcing", "referral")).databases["sourcing"] == first.databases["sourcing"]
    assert StackKeys.load(home).token_signing == first.token_signing


def test_a_key_missing_from_an_older_stack_is_generated_once(tmp_path: Path) -> None:
    home = Home(tmp_path)
    older = StackKeys.load(home).model_dump(exclude={"offer_links"})
    home.secrets_file.write_text(json.dumps(older))
    first = StackKeys.load(home)
    assert (first.token_signing, StackKeys.load(home)) == (older["token_signing"], first)


def test_only_the_services_that_sign_and_check_links_have_the_link_key(tmp_path: Path) -> None:
    keys = StackKeys.load(Home(tmp_path), roles=ROLES)
    servers = EmbeddedPostgres(tmp_path / "postgres"), EmbeddedKafka(tmp_path / "kafka", tmp_path)
    config = StackConfig(Home(tmp_path), keys, Addresses.from_free_ports(), *servers)
    link_keys = {each.name: config.build_environment(each).get("CALLOFF_OFFER_LINK_KEY") for each in SERVICES}
    assert {name: key for name, key in link_keys.items() if key is not None} == {
        "sourcing": keys.offer_links,
        "provider-registry": keys.offer_links,
    }
    assert len(keys.offer_links) >= MIN_KEY_LENGTH
