"""通报: how each county and agency kept its promises in a month, as figures, as PDF and as a spreadsheet (DESIGN §9)."""

from gateway.bulletin.figures import Bulletin, Score, Unkept, bulletin
from gateway.bulletin.printed import printed
from gateway.bulletin.sheets import sheets

__all__ = ["Bulletin", "Score", "Unkept", "bulletin", "printed", "sheets"]
