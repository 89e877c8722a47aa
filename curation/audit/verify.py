"""Whether a run is still what its manifest says: every byte, every count, every document."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from connectors.errors import UserError, nearest
from curation.audit.damaged_tokens import with_documents_hit
from curation.audit.finding import Finding, Progress
from curation.audit.story import Ledger
from curation.audit.verify_files import THREADS, check_files, files_of, hashed
from curation.audit.verify_ledger import Counted, check_sources, count_unit
from curation.audit.verify_receipts import check_receipts
from curation.audit.verify_shards import ShardCheck, not_in_ledger
from curation.run.merkle import Sibling, inclusion_proof, merkle_root, proven_root

ROOT = "merkle_root"


def verify(run: str, progress: Progress = lambda path, count: None) -> list[Finding]:
    """All that is wrong with a run; an empty list if nothing is. `progress` hears of each file and of the bytes read of it.

    Every file is read once as a stream, several at a time; then, if all are what they were, the ledger a finish unit at a time
    and the shards a row group at a time. Memory is bounded by a unit's ids. Raises `UserError` where there is no finished run.
    """
    ledger = Ledger(run)
    findings = [*check_root(ledger), *check_files(ledger, progress), *check_receipts(ledger)]
    if not findings:  # counts of files that are not what they were mean nothing
        return list(check_contents(ledger, progress))
    return with_documents(ledger, findings)


def check_root(ledger: Ledger) -> Iterator[Finding]:
    """The manifest's Merkle root against its list of files."""
    if ROOT in ledger.manifest and ledger.manifest[ROOT] != root_of(ledger):
        yield Finding(ledger.folder.manifest, f"names the Merkle root {ledger.manifest[ROOT]}, its files have another")


def root_of(ledger: Ledger) -> str:
    """The Merkle root over the files that a run's manifest names."""
    return merkle_root(files_of(ledger.manifest))


def check_contents(ledger: Ledger, progress: Progress) -> Iterator[Finding]:
    """Conservation, and all entries of all document indexes."""
    units = [(unit["unit"], unit["splits"]) for unit in ledger.manifest["units"]]
    total, in_shards = Counted(), Counted()
    with ThreadPoolExecutor(THREADS) as threads:
        for counted in threads.map(lambda unit: count_unit(ledger, *unit), units):
            total.merge(counted)
        checks = [ShardCheck(ledger, row, progress) for row in ledger.manifest["shards"] if "dtype" in row]
        for check, found in zip(checks, threads.map(lambda check: list(check.findings()), checks)):
            in_shards.findings += found
            in_shards.by_shard.merge(check.by_shard)
            in_shards.by_split.merge(check.by_split)
    findings = [*total.findings, *check_sources(total, ledger.manifest["sources"]), *in_shards.findings]
    yield from findings
    if findings:
        return
    for shard in total.by_shard.differences(in_shards.by_shard):
        path = ledger.folder.shard(shard, "docs.parquet")
        yield Finding(path, "and the ledger disagree on where documents stand", not_in_ledger(ledger, shard))
    for split in total.by_split.differences(in_shards.by_split):
        told = "and the document indexes disagree on which of its records stand in shards"
        yield Finding(ledger.folder.ledger("records", split), told)


def with_documents(ledger: Ledger, findings: list[Finding]) -> list[Finding]:
    """The findings, with the documents that are hit where the tokens of a shard were altered."""
    broken = {finding.place for finding in findings}
    of_tokens = {ledger.folder.shard(name, "bin"): row for name, row in ledger.shards.items()}
    return [
        with_documents_hit(ledger, finding, of_tokens[finding.place], broken)
        if finding.is_damage and finding.place in of_tokens
        else finding
        for finding in findings
    ]


def prove_file(run: str, path: str) -> tuple[str, list[Sibling], list[Finding]]:
    """A file's leaf as a line, the proof that it is part of the run, and what is wrong with either: only that file is read.

    Raises `UserError` for a file that the manifest does not name.
    """
    ledger = Ledger(run)
    files = files_of(ledger.manifest)
    if path not in files:
        raise UserError(f"'{path}' is no file of this run's manifest.{nearest(path, files)}")
    written, proof = files[path], inclusion_proof(files, path)
    here = hashed(ledger.folder.uri(path), path, lambda name, count: None)
    findings = [] if here == written else [Finding(path, "is missing" if here is None else "was changed")]
    if proven_root(path, written, proof) != ledger.manifest.get(ROOT, root_of(ledger)):
        findings.append(Finding(ledger.folder.manifest, f"names another Merkle root than {path} leads to"))
    return f"{written.sha256} {written.bytes} {path}", proof, findings
