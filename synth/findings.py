"""The closed vocabulary of findings: one row a code, with its wording, what may be said of it, and where it is coded.

`name` and `synonyms` mean the same thing as the code; looser readings ("COPD" drawn as emphysema) live in
`synth.prompts.lexicon` and are told to the user. SNOMED CT and RadLex ids stand only where the concept is the same;
None means "no id that we are sure of", never "no such concept".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from synth.errors import RequestError


@dataclass(frozen=True, slots=True)
class FindingTerm:
    """One finding that a prompt can name. `modalities` are DICOM codes of the images in which it can be seen."""

    code: str
    name: str
    synonyms: tuple[str, ...]
    sided: bool  # left, right or bilateral may be said of it
    zoned: bool  # upper, middle or lower may be said of it
    graded: bool  # mild, moderate or severe may be said of it
    modalities: tuple[str, ...]
    snomed: str | None  # SNOMED CT concept id
    radlex: str | None  # RadLex RID


def term(code: str) -> FindingTerm:
    """The row of `code`. Raises RequestError when the vocabulary has no such code."""
    try:
        return VOCABULARY[code]
    except KeyError:
        raise RequestError(f"The finding {code!r} is not known; choose one of the {len(VOCABULARY)} listed.") from None


def _lung(
    code: str, synonyms: str = "", *, name: str = "", snomed: str | None = None, radlex: str | None = None
) -> FindingTerm:
    """A finding of the lung or pleura: it has a side, a zone and a degree."""
    return _row(code, name, synonyms, (True, True, True), ("DX", "CT"), snomed, radlex)


def _whole(code: str, synonyms: str = "", *, name: str = "", snomed: str | None = None) -> FindingTerm:
    """A finding of the chest as a whole: a degree, no side."""
    return _row(code, name, synonyms, (False, False, True), ("DX", "CT"), snomed, None)


def _other(
    code: str, synonyms: str = "", *, sided: bool = True, snomed: str | None = None, radlex: str | None = None
) -> FindingTerm:
    """A finding of bone, mediastinum or tissue: perhaps a side, no zone, no degree."""
    return _row(code, "", synonyms, (sided, False, False), ("DX", "CT"), snomed, radlex)


def _brain(code: str, synonyms: str = "", *, snomed: str | None = None) -> FindingTerm:
    """A finding of the brain, on MR, CT and PET."""
    return _row(code, "", synonyms, (True, False, True), ("MR", "CT", "PT"), snomed, None)


def _row(
    code: str,
    name: str,
    synonyms: str,
    said: tuple[bool, bool, bool],
    modalities: tuple[str, ...],
    snomed: str | None,
    radlex: str | None,
) -> FindingTerm:
    words = tuple(part.strip() for part in synonyms.split("|") if part.strip())
    return FindingTerm(code, name or code.replace("_", " "), words, *said, modalities, snomed, radlex)


# SNOMED CT ids: international edition. RadLex ids: version 4.
_ROWS = (
    # Lungs and pleura
    _lung("pneumonia", "PNA | pneumonic | bronchopneumonia | pneumonic consolidation", snomed="233604007",
          radlex="RID5350"),
    _lung("bacterial_pneumonia", "bacterial lung infection | bacterial bronchopneumonia", snomed="53084003"),
    _lung("viral_pneumonia", "viral lung infection | viral bronchopneumonia", snomed="75570004", radlex="RID34769"),
    _lung("covid_19", "COVID | COVID19 | SARS-CoV-2 | SARSCoV2 | COVID pneumonia | COVID-19 pneumonia"
          " | SARS-CoV-2 pneumonia | coronavirus pneumonia | coronavirus | coronavirus disease | COVID-19 infection"
          " | SARS-CoV-2 infection | COVID infection | COVID lung | novel coronavirus pneumonia"
          " | coronavirus disease 2019", name="COVID-19", snomed="840539006"),
    _lung("pleural_effusion", "effusion | pleural fluid | hydrothorax | pleural fluid collection"
          " | pleural collection | fluid collection in the pleura | subpulmonic effusion", snomed="60046008",
          radlex="RID34539"),
    _lung("infiltration", "infiltrate | pulmonary infiltrate | lung infiltrate | pulmonary infiltration"
          " | interstitial infiltrate | infiltrative change"),
    _lung("nodule", "pulmonary nodule | lung nodule | solitary pulmonary nodule | SPN | coin lesion | nodular lesion"
          " | nodular opacity | nodular density | micronodule | nodular shadow", radlex="RID50149"),
    _lung("lung_opacity", "opacity | opacification | pulmonary opacity | airspace disease | air space disease"
          " | airspace opacity | air space opacity | airspace opacification | air space opacification | airspace change"
          " | parenchymal opacity | haziness | shadowing | hazy opacity | opacified | airspace shadowing"
          " | air space shadowing | alveolar opacity", radlex="RID28530"),
    _lung("edema", "oedema | lung edema | interstitial edema | alveolar edema | wet lung", name="pulmonary edema",
          snomed="19242006", radlex="RID4866"),
    _lung("atelectasis", "atelectases | atelectatic change | atelectatic | collapse | lobar collapse | collapsed lobe"
          " | lung collapse | collapsed | volume loss | atelectasia", snomed="46621007", radlex="RID28493"),
    _lung("tuberculosis", "TB | pulmonary TB | pulmonary tuberculosis | tuberculous | PTB", snomed="154283005"),
    _lung("pleural_thickening", "thickened pleura | thickening of the pleura | pleural thickness"),
    _lung("consolidation", "consolidated | airspace consolidation | air space consolidation | lobar consolidation"
          " | consolidative change | consolidative opacity | consolidative", snomed="95436008", radlex="RID43255"),
    _whole("cardiomegaly", "enlarged heart | cardiac enlargement | heart enlargement | enlarged cardiac silhouette"
           " | enlargement of the heart | enlargement of the cardiac silhouette | CMG"
           " | enlarged cardiac shadow | enlarged heart shadow | enlarged heart size", snomed="8186001"),
    _lung("mass", "lung mass | pulmonary mass | mass lesion", snomed="309529002", radlex="RID39056"),
    _lung("fibrosis", "pulmonary fibrosis | lung fibrosis | fibrotic change | fibrotic | fibrotic disease",
          snomed="51615001"),
    _lung("pneumothorax", "PTX | PNX | pneumothoraces | pneumothoraxes", snomed="36118008", radlex="RID5352"),
    _lung("emphysema", "emphysematous change | emphysematous | pulmonary emphysema", snomed="87433001",
          radlex="RID4799"),
    _row("hernia", "", "diaphragmatic hernia", (True, False, True), ("DX", "CT"), None, None),
    _lung("ards", "acute respiratory distress syndrome | adult respiratory distress syndrome", name="ARDS",
          snomed="67782005"),
    _lung("pneumocystis", "PCP | PJP | pneumocystis pneumonia | pneumocystis jirovecii pneumonia"
          " | pneumocystis jirovecii | pneumocystis carinii pneumonia"),
    _lung("cavity", "cavitation | cavitary lesion | cavitating lesion | cavitary | cavitating | cavitated | cavities"
          " | lung cavity | pulmonary cavity"),
    _lung("ground_glass_opacity", "GGO | ground glass | ground glass change | ground glass opacification"
          " | ground glass attenuation | ground glass density | ground glass shadowing | ground glass infiltrate"
          " | groundglass", name="ground-glass opacity"),
    _lung("lung_cancer", "bronchogenic carcinoma | lung carcinoma | bronchial carcinoma | lung malignancy"
          " | pulmonary malignancy | NSCLC | SCLC | adenocarcinoma of the lung | lung adenocarcinoma"
          " | cancer of the lung", snomed="363358000"),
    # Brain and breast: words for other pages
    _brain("haemorrhage", "hemorrhage | intracranial hemorrhage | brain hemorrhage | brain bleed"),
    _brain("glioma", "brain glioma"),
    _brain("meningioma"),
    _brain("pituitary_tumour", "pituitary adenoma | pituitary tumor"),
    _row("benign", "benign lesion", "benign tumor", (True, False, True), ("MG", "US", "DX"), None, None),
    _row("malignant", "malignant lesion", "malignant tumor", (True, False, True), ("MG", "US", "DX"), None, None),
    # Understood and named to the user, not drawn by the shipped model
    _other("fracture", "rib fracture | fractured rib | broken rib | fractured | clavicle fracture", snomed="125605004",
           radlex="RID5650"),
    _other("pericardial_effusion", "pericardial fluid", sided=False, snomed="373945007"),
    _other("foreign_body", "aspirated foreign body | swallowed coin | ingested coin | foreign object"),
    _other("support_devices", "support device | pacemaker | ICD | defibrillator | endotracheal tube | ET tube | ETT"
           " | NG tube | nasogastric tube | feeding tube | central line | central venous catheter | CVC | PICC"
           " | PICC line | chest tube | chest drain | pleural drain | pigtail catheter | Swan-Ganz catheter | Swan-Ganz"
           " | port-a-cath | portacath | tracheostomy | tracheostomy tube | sternal wire | sternotomy wire"
           " | prosthetic valve | surgical clip | intercostal drain | catheter | pacer | lines and tubes"
           " | tubes and lines | tube | drain | medical device | stent"),
    _other("scoliosis", "kyphoscoliosis | kyphosis", sided=False, snomed="298382003"),
    _other("aortic_aneurysm", "thoracic aortic aneurysm | aneurysm of the aorta", sided=False, snomed="67362008"),
    _other("pneumomediastinum", "mediastinal emphysema", sided=False, snomed="16838000"),
    _other("subcutaneous_emphysema", "surgical emphysema | soft tissue emphysema | subcutaneous air"),
    _lung("bronchiectasis", "bronchiectatic change | bronchiectatic", snomed="12295008"),
    _other("lymphadenopathy", "adenopathy | hilar lymphadenopathy | hilar adenopathy | mediastinal lymphadenopathy"
           " | enlarged lymph node | enlarged hilar node | BHL", snomed="30746006"),
    _lung("pulmonary_embolism", "pulmonary embolus | pulmonary emboli | pulmonary infarct | pulmonary infarction"
          " | lung infarct", snomed="59282003"),
    _lung("metastases", "metastasis | lung metastasis | lung metastases | pulmonary metastases | pulmonary metastasis"
          " | metastatic disease | mets | cannonball metastases"),
    _lung("sarcoidosis", "sarcoid", snomed="31541009"),
    _lung("bronchitis", "peribronchial cuffing | peribronchial thickening | bronchial wall thickening"),
    _lung("bronchiolitis", snomed="4120002"),
    _lung("asthma", snomed="195967001"),
    _lung("cystic_fibrosis", "mucoviscidosis", snomed="190905008"),
    _lung("pneumoconiosis", "silicosis | asbestosis | coal worker's pneumoconiosis"),
    _lung("respiratory_distress_syndrome", "RDS | hyaline membrane disease | surfactant deficiency"),
    _other("pneumoperitoneum", "free air under the diaphragm | subdiaphragmatic free air | free intraperitoneal air",
           sided=False),
    _other("elevated_hemidiaphragm", "raised hemidiaphragm | elevated diaphragm | raised diaphragm"
           " | elevation of the hemidiaphragm | hemidiaphragm elevation"),
    _other("widened_mediastinum", "mediastinal widening | wide mediastinum | mediastinal mass"
           " | widening of the mediastinum", sided=False),
    _other("tortuous_aorta", "unfolded aorta | aortic tortuosity | aortic calcification", sided=False),
    _other("dextrocardia", "situs inversus", sided=False),
)  # fmt: skip

VOCABULARY: Mapping[str, FindingTerm] = MappingProxyType({row.code: row for row in _ROWS})

NODULES = frozenset({"nodule", "mass", "lung_cancer"})  # round opacities, which magnified CT slices show
