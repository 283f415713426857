"""The data sheet: where training images and the real images of the library come from, and who answers for what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from synth.export.documents.about import About, Held
from synth.export.documents.blocks import Block, Document, Heading, Quote, Source, Table, told
from synth.export.documents.card_text import trained_on
from synth.governance.roles import MAY

UNKNOWN = "unknown"
ROLES = Source("Table of roles of this program, synth/governance/roles.py")
# Where an origin can be read about: the beginning of its name in the card -> address.
LINKS = {
    "RSNA Pediatric Bone Age": "https://www.rsna.org/artificial-intelligence/ai-image-challenge",
    "Harvard Whole Brain Atlas": "https://www.med.harvard.edu/aanlib/",
    "LIDC-IDRI": "https://doi.org/10.7937/K9/TCIA.2015.LO9QL9SX",
    "SARS-CoV-2 CT-scan": "https://www.kaggle.com/datasets/plameneduardo/sarscov2-ctscan-dataset",
    "coronacases.org": "https://coronacases.org",
    "medicalsegmentation.com": "https://medicalsegmentation.com/covid19/",
    "Kaggle siim-medical-images": "https://www.kaggle.com/datasets/kmader/siim-medical-images",
    "Kaggle felipekitamura": "https://www.kaggle.com/datasets/felipekitamura/head-ct-hemorrhage",
    "COVID-19 Radiography DB": "https://www.kaggle.com/datasets/tawsifurrahman/covid19-radiography-database",
    "Hannover MHH": "https://github.com/ml-workgroup/covid-19-image-repository",
    "JSRT": "http://db.jsrt.or.jp/eng.php",
    "Kermany": "https://data.mendeley.com/datasets/rscbjbr9sj",
    "NIH ChestX-ray14": "https://nihcc.app.box.com/v/ChestXray-NIHCC",
    "ieee8023": "https://github.com/ieee8023/covid-chestxray-dataset",
    "MSD": "http://medicaldecathlon.com",
    "BUSI": "https://doi.org/10.1016/j.dib.2019.104863",
    "CVC-ClinicDB": "https://polyp.grand-challenge.org/CVCClinicDB/",
    "Kvasir-SEG": "https://datasets.simula.no/kvasir-seg/",
    "DRIVE": "https://drive.grand-challenge.org/",
}


def data_sheet(about: About, held: Sequence[Held]) -> Document:
    """Every origin of the training data that the card names, and every origin of the library."""
    blocks: list[Block] = [
        told(
            "Consent and ethics approval are written as unknown where nobody has checked them for this sheet: that "
            "does not say that there was none. Licences are those that the card or the library states, word by word."
        ),
        Heading("Training data"),
        Quote(about.card.training_data, about.from_card),
        *_training(about),
        Heading("Real images in the library of this installation"),
        *_library(about, held),
        Heading("Who answers for which use"),
        told("Whoever has one of the roles may do this here, and answers for it; each act is in the audit trail."),
        _answerable(),
    ]
    return Document(f"Data sheet: {about.card.title}", tuple(blocks), about.made)


def _training(about: About) -> Iterator[Block]:
    rows = trained_on(about.card_text)
    if not rows:
        yield told("The card lists no origins of its training data: licence, consent and ethics status are unknown.")
        return
    heads = ("Origin", "Kind", "Images", "Licence", "Consent, ethics", "Link")
    cells = (
        (
            row.origin,
            f"{row.modality} {row.part.lower()}",
            row.images,
            row.licence or UNKNOWN,
            UNKNOWN,
            _link(row.origin),
        )
        for row in rows
    )
    yield Table(heads, tuple(cells), about.from_card)


def _library(about: About, held: Sequence[Held]) -> Iterator[Block]:
    if not held:
        yield told("The library holds no real image.")
        return
    heads = ("Origin", "Modality", "Images", "Licence", "Consent, ethics")
    cells = ((one.origin or UNKNOWN, one.modality, str(one.images), one.licence or UNKNOWN, UNKNOWN) for one in held)
    yield Table(heads, tuple(cells), about.counted("table real_images without the bin"))
    yield told(
        "They were de-identified when they were imported; images of a folder of the server are shown as they lie."
    )


def _answerable() -> Table:
    rows = ((permission.value, ", ".join(sorted(roles))) for permission, roles in MAY.items())
    return Table(("Use", "Roles"), tuple(rows), ROLES)


def _link(origin: str) -> str:
    return next((address for start, address in LINKS.items() if origin.startswith(start)), UNKNOWN)
