"""What there is of healer and of the jobs that it retires or cannot live beside."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from healer.adapters.launchctl import Launchctl
from healer.adapters.plist_files import PlistFiles
from healer.model.install_plan import Seen
from healer.model.launch_agent import LABEL, TRIAL
from healer.model.launchd import Domain, LoadedJob, domains_of, rivals_of
from healer.model.set_aside import RETIRED, PlistFile

OURS: Final = (LABEL, TRIAL, *RETIRED)


async def survey(launchctl: Launchctl, files: PlistFiles, uid: int, instance: str) -> Seen:
    """Look at everything at once; changes nothing. Raises CannotLook, TargetSilent.

    Unlike the probe of rivals it takes no answer for granted: a job that could not be looked
    at may be there, and would be lost or fought with. `instance` is Lima's name of the VM.
    """
    found = tuple(files.found(OURS))
    domains = [one for one in domains_of(uid) if await launchctl.exists(one)]
    jobs = await _jobs(launchctl, domains, rivals_of(instance))
    manifest = files.manifest()
    noted = (*manifest.kept, *(manifest.before or ()))
    outside = [job.path for job in jobs.values()] + [one.path for one in noted if not one.aside]
    return Seen(
        domains=tuple(domains),
        jobs={target: _under_its_file(job, found) for target, job in jobs.items()},
        files=found,
        disabled=await _disabled(launchctl, domains),
        manifest=manifest,
        asides=files.asides(),
        elsewhere=_elsewhere(outside, found),
    )


async def _jobs(
    launchctl: Launchctl, domains: Iterable[Domain], rivals: Iterable[str]
) -> dict[str, LoadedJob]:
    found = {}
    labels = dict.fromkeys((*OURS, *rivals))
    for target in [one.target(label) for label in labels for one in domains]:
        job = await launchctl.job(target)
        if job is not None:
            found[target] = job
    return found


async def _disabled(launchctl: Launchctl, domains: Iterable[Domain]) -> frozenset[str]:
    found: set[str] = set()
    for domain in domains:
        labels = await launchctl.disabled(str(domain))
        found |= {domain.target(label) for label in labels if label in OURS}
    return frozenset(found)


def _under_its_file(job: LoadedJob, files: Iterable[PlistFile]) -> LoadedJob:
    """The job with its plist named as the file is found, whatever link it was loaded by."""
    for file in files:
        if job.path is not None and job.path != file.path and _is_same(job.path, file.path):
            return replace(job, path=file.path)
    return job


def _elsewhere(paths: Iterable[Path | None], files: Iterable[PlistFile]) -> frozenset[Path]:
    known = {file.path for file in files}
    return frozenset(
        path for path in paths if path is not None and path not in known and path.is_file()
    )


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
