"""Starts the ranks of a run on this machine, as torchrun does, and ends them together: no rank is left hanging.

Ranks get torchrun's environment (RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT), one process group of the system, and
the end of a pipe that closes when the process that started them is gone. Rank 0 speaks to the terminal, the others to a log
each. What goes wrong in a rank is told once: a user's mistake as its one line, a crash as the traceback of the rank that failed
first, not of those that then lost their peer.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from connectors.errors import UserError
from trainer.faults import HUNG

REPORT = "CORPUSMILL_RANK_REPORT"  # where a rank writes what ended it
LIFELINE = "CORPUSMILL_LIFELINE"  # a pipe's number: its other end is held by the process that started this one
GRACE = 2.0  # seconds that other ranks get to say what ended them, after one has failed
ROOT = Path(__file__).resolve().parent.parent


class RankCrashed(Exception):
    """A rank ended by an error of ours; the message is its traceback."""


@contextlib.contextmanager
def reporting() -> Iterator[None]:
    """Around what a rank does: what ends it is reported to the launcher, and told by one rank where torchrun started it."""
    report, rank = os.environ.get(REPORT), int(os.environ.get("RANK", 0))
    try:
        yield
    except UserError as error:
        if report:
            Path(report).write_text(json.dumps({"mistake": str(error)}))
        if report or rank:
            _leave(2)
        raise
    except Exception:
        if not report:
            raise
        Path(report).write_text(json.dumps({"crash": traceback.format_exc()}))
        _leave(1)


def _leave(code: int) -> None:
    """Ends this rank at once: threads that wait for other ranks are not waited for."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def hold_lifeline() -> None:
    """Ends this process when the one that started it is gone, however it went: its end of the pipe closes with it."""
    number = os.environ.get(LIFELINE)
    if number is None:
        return

    def wait() -> None:
        os.read(int(number), 1)
        os._exit(1)

    threading.Thread(target=wait, daemon=True, name="lifeline").start()


def is_rank() -> bool:
    """Whether this process was started as a rank, by `launch` or by torchrun."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def launch(
    command: Sequence[str],
    count: int,
    logs: Path,
    quiet: bool = False,
    limit: float | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Runs `count` processes of `command` to their end.

    logs         folder of `rank-N.log`, what ranks other than 0 print (and rank 0 too when `quiet`)
    limit        seconds after which all are killed; none: no limit
    environment  variables for the ranks, beside this process's own

    A signal to stop (SIGTERM, SIGUSR1, Ctrl-C) is passed on to all ranks; a second Ctrl-C kills them. Raises `UserError` for a
    rank's own `UserError`, for one that was killed and for one that hung; `RankCrashed` for a traceback; KeyboardInterrupt.
    """
    logs.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as reports, _lifeline() as lifeline:
        ranks = _Group(command, count, logs, Path(reports), quiet, dict(environment or {}), lifeline)
        try:
            with ranks.signals_passed_on():
                failed = ranks.wait(limit)
        finally:
            ranks.kill()
        if failed is not None:
            raise ranks.failure(failed)


@contextlib.contextmanager
def _lifeline() -> Iterator[int]:
    """The end of a pipe for the ranks; ours stays open as long as we live."""
    theirs, ours = os.pipe()
    try:
        yield theirs
    finally:
        os.close(theirs)
        os.close(ours)


def master_port() -> int:
    """MASTER_PORT where it is set, else a free one. Raises `UserError` where the one that is set is in use."""
    chosen = os.environ.get("MASTER_PORT", "0")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(chosen)))
        except (OSError, ValueError, OverflowError):
            raise UserError(f"Port {chosen} is in use or none: set MASTER_PORT to a free one, or unset it") from None
        return int(probe.getsockname()[1])


class _Group:
    """The processes of one launch."""

    def __init__(
        self,
        command: Sequence[str],
        count: int,
        logs: Path,
        reports: Path,
        quiet: bool,
        environment: dict[str, str],
        lifeline: int,
    ) -> None:
        self.logs, self.reports, self.interrupts, self.asked = logs, reports, 0, 0
        self.processes: list[subprocess.Popen[bytes]] = []
        shared = {
            "WORLD_SIZE": str(count),
            "LOCAL_WORLD_SIZE": str(count),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(master_port()),
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
            LIFELINE: str(lifeline),
        }
        for rank in range(count):
            own = {"RANK": str(rank), "LOCAL_RANK": str(rank), REPORT: str(reports / f"{rank}.json")}
            with contextlib.ExitStack() as stack:
                log = None
                if rank or quiet:
                    log = stack.enter_context((logs / f"rank-{rank}.log").open("ab"))
                self.processes.append(
                    subprocess.Popen(
                        list(command),
                        env=os.environ | shared | environment | own,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        process_group=self.processes[0].pid if rank else 0,
                        pass_fds=(lifeline,),
                    )
                )

    @contextlib.contextmanager
    def signals_passed_on(self) -> Iterator[None]:
        """While ranks run, signals to stop are theirs."""

        def pass_on(number: int, frame: object) -> None:
            self.interrupts += number == signal.SIGINT
            if self.interrupts > 1:
                raise KeyboardInterrupt
            self.asked = signal.SIGUSR1 if number == signal.SIGUSR1 else signal.SIGTERM
            self._signal(self.asked)

        numbers = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)
        try:
            earlier = {number: signal.signal(number, pass_on) for number in numbers}
        except ValueError:  # not in the main thread: signals are someone else's
            earlier = {}
        try:
            yield
        finally:
            for number, handler in earlier.items():
                signal.signal(number, handler)

    def wait(self, limit: float | None) -> int | None:
        """Waits until all ranks have ended well, or one has not: the rank that is to blame, else None."""
        start = time.monotonic()
        while True:
            codes = [process.poll() for process in self.processes]
            if any(codes):
                return self._to_blame()
            if all(code == 0 for code in codes):
                return None
            if limit is not None and time.monotonic() - start > limit:
                raise UserError(f"No end after {limit:g} s; the ranks' logs are in {self.logs}")
            time.sleep(0.05)

    def _to_blame(self) -> int:
        """Of the ranks that failed, the one with a mistake to tell, else one that was killed, else the first to fail.

        Ranks that lose a peer fail within moments of it, so all that end soon are looked at together.
        """
        order: list[int] = []
        until = time.monotonic() + GRACE
        while time.monotonic() < until and len(order) < len(self.processes):
            order += [r for r, process in enumerate(self.processes) if process.poll() and r not in order]
            time.sleep(0.02)
        told = sorted(r for r in order if "mistake" in self._report(r))
        killed = [r for r in order if (self.processes[r].returncode or 0) < 0]
        return (told or killed or sorted(order, key=self._when_reported))[0]

    def _when_reported(self, rank: int) -> float:
        path = self.reports / f"{rank}.json"
        return path.stat().st_mtime if path.exists() else 0.0

    def _report(self, rank: int) -> dict[str, str]:
        try:
            return dict(json.loads((self.reports / f"{rank}.json").read_text()))
        except (OSError, ValueError):
            return {}

    def failure(self, rank: int) -> Exception:
        """What a rank's end is to the caller."""
        code, report = self.processes[rank].returncode, self._report(rank)
        if "mistake" in report:
            return UserError(report["mistake"])
        if "crash" in report:
            return RankCrashed(f"rank {rank}: {report['crash']}")
        who = f"Rank {rank} of {len(self.processes)}"
        again = "The same command goes on from the latest checkpoint."
        if code is not None and code == -self.asked:
            return UserError(f"Stopped by {signal.Signals(self.asked).name} before the first step. {again}")
        if code is not None and code < 0:
            perhaps = " (out of memory, perhaps)" if code == -signal.SIGKILL else ""
            return UserError(f"{who} was killed by {signal.Signals(-code).name}{perhaps}. {again}")
        log = f"; its log: {self.logs / f'rank-{rank}.log'}" if (self.logs / f"rank-{rank}.log").exists() else ""
        if code == HUNG:
            return UserError(f"{who} hung: no step ended in time{log}. {again}")
        return UserError(f"{who} died with exit code {code}{log}. {again}")

    def _signal(self, number: int) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(number)

    def kill(self) -> None:
        """Kills what is left of all ranks and of what they started."""
        if self.processes:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.processes[0].pid, signal.SIGKILL)
        for process in self.processes:
            process.wait()
