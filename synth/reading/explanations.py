"""What is shown at the reveal: signs, mimics and pitfalls of each finding that the model can draw, with a source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from synth.errors import RequestError
from synth.findings import VOCABULARY

_FLEISCHNER_2008 = (
    "Hansell DM, Bankier AA, MacMahon H, et al. Fleischner Society: glossary of terms for thoracic imaging. Radiology "
    "2008;246(3):697-722."
)
_FLEISCHNER_2024 = (
    "Bankier AA, MacMahon H, Colby T, et al. Fleischner Society: glossary of terms for thoracic imaging. Radiology "
    "2024;310(2):e232558."
)
_NODULES_2017 = (
    "MacMahon H, Naidich DP, Goo JM, et al. Guidelines for management of incidental pulmonary nodules detected on CT "
    "images: from the Fleischner Society 2017. Radiology 2017;284(1):228-243."
)
_FELSON = "Goodman LR. Felson's Principles of Chest Roentgenology: A Programmed Text. Elsevier."
_BTS_PLEURA = (
    "Roberts ME, Rahman NM, Maskell NA, et al. British Thoracic Society guideline for pleural disease. Thorax "
    "2023;78(Suppl 3):s1-s42."
)


@dataclass(frozen=True, slots=True)
class Explanation:
    """60 to 120 words on one finding, in three parts, and where they come from."""

    code: str
    signs: str
    mimics: str
    pitfalls: str
    sources: tuple[str, ...]

    @property
    def words(self) -> int:
        """The number of words in the three parts."""
        return len(f"{self.signs} {self.mimics} {self.pitfalls}".split())


def explanation(code: str) -> Explanation:
    """The explanation of a finding. Raises RequestError where there is none."""
    try:
        return EXPLANATIONS[code]
    except KeyError:
        name = VOCABULARY[code].name if code in VOCABULARY else repr(code)
        raise RequestError(f"There is no explanation of {name}; {len(EXPLANATIONS)} findings have one.") from None


_ALL = (
    Explanation(
        "atelectasis",
        "Opacity with loss of volume. A displaced fissure and crowded vessels or bronchi are direct signs; a raised "
        "hemidiaphragm, mediastinal shift towards the opacity and overinflation of the neighbouring lobe are indirect "
        "ones. Linear atelectasis is a thin band, often horizontal, near the base.",
        "Consolidation keeps the volume of the lobe; a large effusion pushes the mediastinum away.",
        "A collapsed left lower lobe hides behind the heart: trace the hemidiaphragm and the descending aorta through "
        "the cardiac shadow. Left upper lobe collapse veils the hemithorax rather than forming a wedge. Lobar "
        "collapse in an adult calls for a search for a central tumour or a mucus plug.",
        (
            "Woodring JH, Reed JC. Types and mechanisms of pulmonary atelectasis. J Thorac Imaging 1996;11(2):92-108.",
            _FLEISCHNER_2024,
        ),
    ),
    Explanation(
        "bacterial_pneumonia",
        "Typically consolidation of one lobe or segment that reaches the pleura and holds air bronchograms; a lost "
        "border locates it: the right heart border in the middle lobe, a hemidiaphragm in a lower lobe. "
        "Bronchopneumonia is patchy and often in several lobes. A parapneumonic effusion or a cavity may follow.",
        "Atelectasis, aspiration, infarct, organising pneumonia, and adenocarcinoma that grows like a consolidation.",
        "The pattern suggests but does not name the organism, and overlaps with that of viruses. Early films may be "
        "normal. In children it may be round and look like a mass. Clearing takes weeks; an opacity that persists in "
        "an adult needs follow-up for a tumour behind it.",
        (
            "Vilar J, Domingo ML, Soto C, Cogollos J. Radiology of bacterial pneumonia. Eur J Radiol "
            "2004;51(2):102-113.",
        ),
    ),
    Explanation(
        "cardiomegaly",
        "On an upright PA film in full inspiration the cardiothoracic ratio, the greatest width of the heart over the "
        "greatest inner width of the thorax, is above 0.5 in an adult. Look then for its cause and for its "
        "consequences: upper lobe vessels, septal lines, effusions.",
        "A pericardial effusion gives a large, globular heart with a sharp outline; a fat pad, a depressed sternum, "
        "scoliosis or a mediastinal mass may widen the shadow.",
        "AP projection magnifies the heart and poor inspiration lifts and widens it, so the ratio must not be read "
        "strictly on portable films. In infants the limit is higher and the thymus adds to the shadow. A heart of "
        "normal width may still be diseased.",
        (
            "Danzer CS. The cardiothoracic ratio: an index of cardiac enlargement. Am J Med Sci 1919;157:513-521.",
            _FELSON,
        ),
    ),
    Explanation(
        "cavity",
        "A gas-filled space, seen as a lucency within a consolidation, a mass or a nodule; an air-fluid level may "
        "stand in it. Describe the wall, its inner border, the number and the zone. Upper lobe cavities with nodules "
        "nearby suggest tuberculosis, several peripheral ones septic emboli.",
        "A bulla or cyst has a hairline wall; a hiatal hernia shows its level behind the heart; a hydropneumothorax "
        "or an empyema with gas lies in the pleura.",
        "A thick, irregular wall favours carcinoma and a thin one benign disease, but infections overlap with both. "
        "Levels are seen only with a horizontal beam. A rounded opacity inside a cavity may be a fungus ball.",
        (
            "Gadkowski LB, Stout JE. Cavitary pulmonary disease. Clin Microbiol Rev 2008;21(2):305-333.",
            _FLEISCHNER_2008,
        ),
    ),
    Explanation(
        "consolidation",
        "A homogeneous increase in the density of the lung that obscures the margins of vessels and airway walls; "
        "air-filled bronchi may run through it as air bronchograms. It has soft edges except at a fissure, keeps the "
        "volume of the lobe, and hides the border of the heart or diaphragm that it touches.",
        "Ground-glass opacity leaves the vessels visible; atelectasis loses volume; an effusion layers and has a "
        "meniscus; a mass has a convex border.",
        "It is a pattern, not a diagnosis: pus, blood, oedema, aspirated matter or tumour cells may fill the air "
        "spaces. Look behind the heart and below the domes of the diaphragm. If it persists for weeks, think of "
        "organising pneumonia, adenocarcinoma or lymphoma.",
        (_FLEISCHNER_2008, _FLEISCHNER_2024),
    ),
    Explanation(
        "covid_19",
        "Typical on CT are peripheral, bilateral or rounded multifocal ground-glass opacities, with or without "
        "consolidation or fine lines that give crazy paving; later a reversed halo or other signs of organising "
        "pneumonia. On films hazy opacities lie bilaterally, in the periphery and the lower zones.",
        "Influenza and other viruses, organising pneumonia, drug toxicity and connective tissue disease look alike.",
        "Lobar consolidation alone, discrete small nodules, cavities, or smooth septal thickening with effusions are "
        "atypical and point elsewhere. Early films and even CT may be normal, so imaging does not exclude the "
        "infection. Overlying soft tissue can imitate faint peripheral haze.",
        (
            "Simpson S, Kay FU, Abbara S, et al. RSNA expert consensus statement on reporting chest CT findings "
            "related to COVID-19. Radiol Cardiothorac Imaging 2020;2(2):e200152.",
            "Jacobi A, Chung M, Bernheim A, Eber C. Portable chest X-ray in coronavirus disease-19 (COVID-19): a "
            "pictorial review. Clin Imaging 2020;64:35-42.",
        ),
    ),
    Explanation(
        "edema",
        "Hydrostatic oedema goes from wide upper lobe vessels to septal (Kerley B) lines, cuffed bronchi and blurred "
        "vessels, then to perihilar and basal air-space opacity. A large heart and effusions support it, and it "
        "changes within hours.",
        "Oedema from leaking capillaries, as in ARDS, is patchier and more peripheral, with few septal lines and a "
        "normal heart. Diffuse pneumonia, haemorrhage and lymphangitic spread of a tumour also blur vessels or "
        "thicken septa.",
        "Supine films widen the upper lobe vessels of anyone. Emphysema makes the pattern patchy, and mitral "
        "regurgitation may confine it to the right upper lobe. Oedema of one side follows re-expansion or lying on "
        "that side.",
        (
            "Gluecker T, Capasso P, Schnyder P, et al. Clinical and radiologic features of pulmonary edema. "
            "RadioGraphics 1999;19(6):1507-1531.",
        ),
    ),
    Explanation(
        "ground_glass_opacity",
        "On CT a hazy increase in attenuation through which the margins of vessels and bronchi stay visible; on a "
        "film a haze in which vessels may be indistinct. Note its distribution, and whether septal lines cross it "
        "(crazy paving) or consolidation accompanies it.",
        "A slice in expiration, dependent opacity that clears when prone, breathing motion, and mosaic attenuation, "
        "where the vessels in the darker lung are thin.",
        "It means partly filled air spaces, thick interstitium, partial collapse or more blood, so the history "
        "decides: infection, oedema, haemorrhage, drugs, hypersensitivity. A focal one that persists may be "
        "adenocarcinoma. Window and slice thickness change how dense it looks.",
        (_FLEISCHNER_2008, _FLEISCHNER_2024),
    ),
    Explanation(
        "infiltration",
        "Used for an ill-defined opacity, patchy or streaky, that neither forms a mass nor fills a lobe; the label "
        "survives in large public collections of films. Say instead what is seen: opacity, its density, whether "
        "vessels are lost, its borders, zone and side.",
        "Crowded vessels in poor inspiration, overlying breast or muscle, bronchial wall thickening, subsegmental "
        "atelectasis and early oedema.",
        "Most physicians asked in a survey took the word to imply more than one disease process, and only about a "
        "third found it helpful in care. As a label it agrees poorly between readers, so a disagreement here weighs "
        "less than one on an effusion.",
        (
            "Patterson HS, Sponaugle DN. Is infiltrate a useful term in the interpretation of chest radiographs? "
            "Physician survey results. Radiology 2005;235(1):5-8.",
        ),
    ),
    Explanation(
        "lung_opacity",
        "Any area that attenuates the beam more than its surroundings and so looks whiter. It is the safe first word: "
        "then say focal or diffuse, air-space or interstitial, with or without loss of volume, and which normal "
        "border is lost.",
        "Nipples, skin folds, breast and pectoral muscle, plaits of hair, healed rib fractures, costal cartilage, and "
        "rotation, which makes one lung look whiter.",
        "Compare both sides zone by zone and check the hidden areas: apices, hila, behind the heart, below the "
        "diaphragm. Too low an exposure or a poor inspiration whitens both bases. The word alone does not separate "
        "infection, oedema, collapse and tumour; earlier films often do.",
        (_FLEISCHNER_2008, _FELSON),
    ),
    Explanation(
        "mass",
        "A rounded opacity of more than 3 cm. Describe border, density, cavity or calcification, and look for its "
        "company: hilar or mediastinal nodes, effusion, collapse beyond it, destroyed ribs. A spiculated or lobulated "
        "border and growth suggest carcinoma.",
        "Round pneumonia, above all in children; fluid caught in a fissure, which is lens-shaped and vanishes with "
        "treatment; rounded atelectasis beside thick pleura; abscess; haematoma.",
        "Apical masses hide behind clavicle and first rib, central ones in the hilum, others behind the heart or "
        "below the domes of the diaphragm. Decide whether it lies in lung, pleura or mediastinum: obtuse angles with "
        "the chest wall speak for pleura.",
        (_FLEISCHNER_2008, _FELSON),
    ),
    Explanation(
        "nodule",
        "A rounded opacity of at most 3 cm, well or poorly defined. Size, density, border and growth matter: central, "
        "laminated, popcorn or complete calcification speaks for benign disease, a spiculated border for carcinoma.",
        "Nipples, skin lesions, electrodes, a vessel or bronchus seen end on, bone islands, callus of a rib, and the "
        "cartilage of the first rib.",
        "Nodules are missed over the apices, the hila, behind the heart and below the diaphragm, and when another "
        "finding has satisfied the search. A nodule seen on a film without calcium usually needs CT or an old film. "
        "Solid ones under 6 mm need no routine follow-up at low risk.",
        (_FLEISCHNER_2008, _NODULES_2017),
    ),
    Explanation(
        "pleural_effusion",
        "Upright, fluid blunts the costophrenic angle and rises along the chest wall as a meniscus; roughly 200 ml "
        "are needed on a PA film, less on a lateral one. Supine, it veils the hemithorax while vessels shine through. "
        "A large one pushes the mediastinum away.",
        "Pleural thickening, a raised hemidiaphragm, lower lobe collapse or consolidation, and a fat pad.",
        "A subpulmonic effusion imitates a high diaphragm whose dome peaks too far laterally; on the left the stomach "
        "bubble lies too far below it. Loculated fluid does not move. Without shift, a white hemithorax holds "
        "collapse besides fluid. Ultrasound finds more than the film.",
        (_BTS_PLEURA, _FELSON),
    ),
    Explanation(
        "pneumonia",
        "A new opacity with signs of infection: consolidation of a lobe or segment with air bronchograms, patchy "
        "opacities along the bronchi, or diffuse interstitial or ground-glass change. The silhouette sign gives the "
        "lobe; look for effusion, cavity and enlarged nodes.",
        "Atelectasis, oedema, infarct, haemorrhage, aspiration, organising pneumonia and carcinoma.",
        "The film cannot name the organism. It may be normal early and in neutropenia. Middle lobe and retrocardiac "
        "pneumonia are easily missed on the frontal view: check the right heart border and the left hemidiaphragm. "
        "Emphysema leaves holes in the consolidation that look like cavities.",
        ("Franquet T. Imaging of community-acquired pneumonia. J Thorac Imaging 2018;33(5):282-294.",),
    ),
    Explanation(
        "pneumothorax",
        "A thin white visceral pleural line, parallel to the chest wall, with no vessels beyond it. Upright, the air "
        "collects at the apex; supine, in front and at the base: a deep lateral sulcus, a sharp hemidiaphragm, a "
        "lucent upper abdomen.",
        "A skin fold is an edge rather than a line, and vessels cross it; a bulla is concave towards the chest wall; "
        "scapula, ribs, tubes and clothing also draw lines.",
        "Do not put a drain into a bulla. Mediastinal shift with a low hemidiaphragm suggests tension, which is a "
        "clinical diagnosis and must not wait for a film. Small ones are best sought by tracing each apex at full "
        "contrast.",
        (_BTS_PLEURA, _FELSON),
    ),
    Explanation(
        "viral_pneumonia",
        "Often bilateral and patchy: ground-glass opacity, thickened bronchial walls, reticular lines, small "
        "centrilobular nodules; in severe disease diffuse consolidation. Children show overinflation and perihilar "
        "streaks. Effusions and lobar consolidation are less usual.",
        "Mycoplasma and other atypical bacteria, oedema, pneumocystis, hypersensitivity pneumonitis, haemorrhage and "
        "drug reactions.",
        "Viruses overlap with each other and with bacteria, and a bacterial infection may follow: a new lobar "
        "consolidation, a cavity or a growing effusion suggests it. Films may stay normal while CT shows disease. "
        "Season, age and immune state narrow the list more than the pattern does.",
        (
            "Koo HJ, Lim S, Choe J, Choi SH, Sung H, Do KH. Radiographic and CT features of viral pneumonia. "
            "RadioGraphics 2018;38(3):719-739.",
        ),
    ),
)

EXPLANATIONS: Mapping[str, Explanation] = MappingProxyType({entry.code: entry for entry in _ALL})
