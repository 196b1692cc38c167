"""One gateway process: what it is built of, each thing made when first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from gateway.app.collecting import Collecting
from gateway.app.delivering import Delivering
from gateway.config import Config
from gateway.corrections import Corrections
from gateway.freshness import Standing
from gateway.reports.access import SubjectAccess
from gateway.reports.aftermath import Aftermath
from gateway.reports.batches import Batches
from gateway.reports.beside import Beside
from gateway.reports.consents import Consents
from gateway.reports.facts import FactFinder
from gateway.reports.office import Office, Report
from gateway.reports.report import ReportMaker
from gateway.scope import EVERYTHING
from gateway.spotcheck import SpotChecks, accuracy_of

if TYPE_CHECKING:
    from gateway.reports.seal import Seal


class Gateway(Collecting, Delivering):
    """One gateway process: store, vault, configuration in force, and everything built on them."""

    @cached_property
    def consents(self) -> Consents:
        assert self.config.gateway is not None
        return Consents(self.store, self.vault, self.clock, self.config.gateway.members)

    @cached_property
    def corrections(self) -> Corrections:
        """What agencies are asked to put right."""
        return Corrections(self.store, self.vault, self.clock, lambda: self.config.calendar)

    @cached_property
    def spot_checks(self) -> SpotChecks:
        return SpotChecks(self.store, self.clock, self._running, self.finder, self.corrections)

    @cached_property
    def finder(self) -> FactFinder:
        return FactFinder(self.store, self.vault)

    @cached_property
    def office(self) -> Office:
        """The desk at which banks ask."""
        assert self.config.gateway is not None
        maker = ReportMaker(self.store, self.finder, self.disclosure, self.config.catalogue, self._beside)
        return Office(
            self.store,
            self.vault,
            self.clock,
            signer=self.signer,
            maker=maker,
            consents=self.consents,
            members=self.config.gateway.members,
            submitter=self.config.gateway.submitter,
            suite=self.suite,
        )

    def pdf(self, report: Report) -> bytes:
        """A report as it is given out: typeset, its JSON attached, sealed."""
        from gateway.reports.pdf import render  # typesetting and sealing are 50 MB that little else needs

        return self._seal.put(render(report))

    @cached_property
    def _seal(self) -> Seal:
        from gateway.reports.seal import Seal  # as above

        assert self.config.gateway is not None
        return Seal(self.settings.data, self.config.gateway.submitter)

    @cached_property
    def aftermath(self) -> Aftermath:
        """What comes after a report."""
        return Aftermath(
            self.store, self.office, self.consents, self.finder, self.corrections, lambda: self.config.catalogue
        )

    @property
    def batches(self) -> Batches:
        """Lists that banks hand in."""
        return Batches(self.store, self.vault, self.clock, self.office)

    @property
    def access(self) -> SubjectAccess:
        return SubjectAccess(self.store, self.vault, self.finder, self.corrections)

    @property
    def _beside(self) -> Beside:
        return Beside(
            self._duties,
            lambda: accuracy_of(self.spot_checks.measured(EVERYTHING)),
            self.corrections.disputes,
        )

    def _duties(self, county: str) -> dict[str, Standing]:
        """How each duty of a county stands; none where the county is configured no more."""
        known = county in self.config.counties
        return {s.dataset: s for s in self.ledger.standings(EVERYTHING, county)} if known else {}

    def _take_over(self, running: Config) -> None:
        """Sinks and the store are those of this process's start."""
        super()._take_over(running)
        if "forwarder" in self.__dict__:
            self.__dict__.pop("forwarder").close()
        for built in ("consents", "office", "aftermath"):
            self.__dict__.pop(built, None)
        self.keeper.keep_all(anew=True)

    def close(self) -> None:
        """Lets go of connections and files; only of what was ever used."""
        if "forwarder" in self.__dict__:
            self.forwarder.close()
        for chain in self.__dict__.get("chains", {}).values():
            chain.close()
        if "http" in self.__dict__:
            self.http.close()
        self.store.close()
