"""What users must know, the transparency notice, and what the app is for, the intended-use statement."""

from __future__ import annotations

from synth.export.documents.about import About
from synth.export.documents.blocks import Block, Document, Figure, Heading, Quote, Source, items, told

AS_OF = "as known in November 2026"
AI_ACT = Source(
    "Regulation (EU) 2024/1689 (AI Act), Article 50, with the dates of the Omnibus that the Council approved on 29 "
    "June 2026, as told by Addleshaw Goddard, licentium and luxgap; its text in the Official Journal was not seen",
    AS_OF,
)
ANNEX = Source("Regulation (EU) 2024/1689 (AI Act), Annex III, education, with the dates of the same Omnibus", AS_OF)
CODE = Source(
    "Code of Practice on marking AI-generated content, 10 June 2026, voluntary, as told by IPTC, aiact50, dailysynapse "
    "and nakira",
    AS_OF,
)
DICOM = Source("DICOM PS3.3, SOP Common Module, Synthetic Data (0008,001C)")
DRAFT = Source(
    "FDA, draft guidance 'Artificial Intelligence-Enabled Device Software Functions', 7 January 2025; comments closed "
    "on 7 April 2025; no final text was found",
    AS_OF,
)
OSEL = Source(
    "FDA, Office of Science and Engineering Laboratories, research programme 'Addressing the Limitations of Medical "
    "Data in AI', fda.gov",
    AS_OF,
)
REVIEW = Source("Badano et al., synthetic data in radiology and how its quality is measured, arXiv:2407.01561")
NIST = Source("NIST AI 600-1, Generative Artificial Intelligence Profile, 26 July 2024")
MARKS = (
    "The word SYNTHETIC, or ALTERED where a real image was changed, is burnt into what is shown and exported.",
    "An invisible watermark is in the pixels; it survives common changes, and it can be removed by who wants to.",
    "PNG files carry signed Content Credentials (C2PA) and text that says how the image was made.",
)


def transparency(about: About) -> Document:
    """For everybody who uses the app: what is drawn by a machine, how it is marked and where to check."""
    blocks: tuple[Block, ...] = (
        Heading("What you see here"),
        told(
            "Images that this app makes are drawn by a diffusion model. They show nobody, and a finding in them may be "
            "wrong, missing or in the wrong place. None may be used for a decision about a patient."
        ),
        Quote(f"The model: {about.card.title}, revision {about.card.revision}.", about.from_card),
        Quote(f"Its limits: {about.card.limits}", about.from_card),
        Heading("How they are marked"),
        *items(*MARKS),
        told("DICOM files say it in their header, as {tag}.", True, tag=Figure("Synthetic Data YES", DICOM)),
        told(
            "In blind reading the marks are left out until you have answered, since they would give the answer away; a "
            "banner says that both kinds are shown."
        ),
        Heading("Where to check"),
        told("The page Verify tells of a file whether it is synthetic, whether it was made here, and what says so."),
        Heading("What is not done"),
        *items(
            "No diagnosis is made, and no image is read by a machine for a patient.",
            "Answers in the reading room are graded by fixed rules against what was drawn or labelled; no model judges "
            "a learner. A classifier's opinion is shown to those who ask for it and counts for nothing.",
            "Prompts that name or describe a person are refused, and their words are not written into the audit trail.",
        ),
        *_law(),
    )
    return Document("Transparency notice", blocks, about.made)


def intended_use(about: About) -> Document:
    """What the app is for and what not, with the stance of the regulator as far as it is known."""
    blocks: tuple[Block, ...] = (
        Heading("For what"),
        told(
            "Education and research: practising to read radiographs and CT slices, teaching, reader studies, and "
            "studies of methods. Never diagnosis, never care of a patient."
        ),
        Quote(f"The model's own statement: {about.card.intended_use}", about.from_card),
        Quote(f"Its limits: {about.card.limits}", about.from_card),
        Heading("Not a medical device"),
        told(
            "The app is not intended for diagnosis, prevention, monitoring, prediction, prognosis or treatment of "
            "disease. It is not a medical device, and nothing in it has been cleared by an authority."
        ),
        Heading("Synthetic images as evidence"),
        *items(
            "To augment the training data of a model: yes, said plainly, with how they were made and how they were "
            "checked, and tested on real images.",
            "As the only evidence that a device works: no. Performance is shown on real images of the patients that it "
            "is meant for.",
        ),
        told("This is our reading of the sources below, not a text of a regulator."),
        *_regulators(),
    )
    return Document("Intended use", blocks, about.made)


def _law() -> tuple[Block, ...]:
    return (
        Heading("The law"),
        told(
            "{article} asks providers to mark synthetic images in a way that machines can read, and those who use them "
            "to say so. It applies from {date}, and to systems that were on the market before from {later}.",
            article=Figure("Article 50 of the EU's AI Act", AI_ACT),
            date=Figure("2 August 2026", AI_ACT),
            later=Figure("2 December 2026", AI_ACT),
        ),
        told(
            "A voluntary {code} names signed metadata and an invisible watermark; both are used here.",
            code=Figure("Code of Practice", CODE),
        ),
        told(
            "AI that evaluates what people have learnt is high-risk under {annex} from {date}; grading by fixed rules "
            "is meant to stay outside of it.",
            annex=Figure("Annex III", ANNEX),
            date=Figure("2 December 2027", ANNEX),
        ),
        told("This is what was known when the notice was written, told in good faith; it is no legal advice."),
    )


def _regulators() -> tuple[Block, ...]:
    return (
        Heading("What the regulator says"),
        told(
            "No final guidance of the FDA on synthetic data was found. Its {draft} is a draft; its laboratories study "
            "what synthetic data can do beside those of patients, and where it ends {osel}.",
            draft=Figure("guidance of January 2025 on AI-enabled device software", DRAFT),
            osel=Figure("(research programme)", OSEL),
        ),
        told(
            "A {review} of synthetic radiology data names its measures of quality and their gaps; a {profile} names "
            "provenance, tests before use and disclosure of incidents.",
            review=Figure("review by its authors", REVIEW),
            profile=Figure("profile for generative AI", NIST),
        ),
        told(
            "In the EU, making such images is bound to transparency by {article}.",
            article=Figure("Article 50 of the AI Act", AI_ACT),
        ),
    )
