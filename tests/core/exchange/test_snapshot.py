"""What an exchange rests on is ready before the first one asks for it."""

from extproc.core.exchange import prepare
from extproc.core.redaction.masker import masker
from script import POLICY, RING, policy

MASKING = "masking: [{name: pii, servers: [sales-db], detect: [mail]}]\ndetectors: {mail: {words: [mail]}}\n"


def test_the_masks_of_a_policy_are_compiled_before_its_first_call() -> None:
    loaded = policy(POLICY + MASKING)
    prepare(loaded, RING)
    compiled = masker.cache_info().misses
    (rule,) = loaded.servers["sales-db"].masks
    assert masker(rule.masks, RING.masking_key).document("mail").value == "[mail]"
    assert masker.cache_info().misses == compiled
