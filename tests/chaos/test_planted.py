"""The harness sees a real loss: a planted bug loses events, the oracle names them, the audit heals them."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from uptake_chaos.stack import Options, Stack
from uptake_chaos.trial import Trial

PLANTED = Path(__file__).with_name("planted_worker.py")
FLOWS_SECONDS = 4.0
LOST_SECONDS, HEALED_SECONDS = 8.0, 60.0


def test_a_loss_that_was_planted_is_named_by_the_oracle_and_healed_by_the_audit(
    jars: Path, seed: int, tmp_path: Path
) -> None:
    command = [sys.executable, str(PLANTED)]
    with Stack(tmp_path, seed, Options(workers=1, scheduler=False, worker_command=command)) as stack:
        trial = Trial(stack, seed, print)
        with trial.flowing(200.0) as sender:
            threading.Event().wait(FLOWS_SECONDS)
            sender.finish(60)
        lost, _ = trial.settle(LOST_SECONDS)
        assert lost.missing, "the planted bug lost nothing"
        assert lost.counts > 0
        assert (lost.unexpected, lost.doubled, lost.letters) == ([], [], 0)
        done = stack.command("audit", "--json")
        assert json.loads(done.stdout), done.stderr
        healed, _ = trial.settle(HEALED_SECONDS)
        assert not healed, str(healed)
