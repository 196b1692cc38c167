"""File drops (china-facts §1.5): CSV, XLS, XLSX and ZIP from a folder or an SFTP server, row by row."""

from adapters.kit.files.adapter import FilesAdapter, FilesConnection, FilesSettings
from adapters.kit.files.drop import Drop, FolderDrop
from adapters.kit.files.names import Entry
from adapters.kit.files.reader import FilesStream
from adapters.kit.files.words import TOTALS_AND_NOTES

__all__ = [
    "TOTALS_AND_NOTES",
    "Drop",
    "Entry",
    "FilesAdapter",
    "FilesConnection",
    "FilesSettings",
    "FilesStream",
    "FolderDrop",
]
