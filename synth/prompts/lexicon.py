"""The words of a prompt: every phrase that the reader knows, as one `Item` of one `Kind`. Data, no grammar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from types import MappingProxyType

from synth.findings import VOCABULARY
from synth.prompts.descriptors import CLINICAL, DESCRIPTORS, FILLERS
from synth.prompts.spelling import plain
from synth.types import Severity, Side, Zone


class Kind(Enum):
    """What a phrase does in a prompt."""

    FINDING = auto()
    PLACE = auto()  # side, zone or both
    DEGREE = auto()
    ORGAN = auto()  # lung, lobe: closes a place, means nothing alone
    NEGATE = auto()  # before the finding
    NEGATED = auto()  # after it
    DOUBT = auto()
    DOUBTED = auto()
    HISTORY = auto()
    ASSERT = auto()
    NORMAL = auto()
    DENIED = auto()  # a phrase that says in itself that its codes are absent
    COMMA = auto()
    AND = auto()
    OR = auto()
    SLASH = auto()
    BREAK = auto()  # but, with, shows: ends a negation
    STOP = auto()
    PATIENT = auto()  # where words about patient or technique stood
    IN = auto()
    ARTICLE = auto()
    DESCRIPTOR = auto()
    CLINICAL = auto()
    FILLER = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Item:
    """One phrase found in a prompt; `loose` marks a finding word that is only nearly its code."""

    kind: Kind
    text: str = ""
    codes: tuple[str, ...] = ()
    side: Side | None = None
    zone: Zone | None = None
    severity: Severity | None = None
    loose: bool = False


# Read as something near, and said so: phrases -> codes, with what the phrase implies.
_LOOSE: tuple[tuple[str, Item], ...] = (
    ("chf|congestive heart failure|heart failure|cardiac failure|congestive cardiac failure|ccf|hfref"
     "|cardiac decompensation|decompensated heart failure", Item(Kind.FINDING, codes=("edema", "cardiomegaly"))),
    ("pulmonary congestion|vascular congestion|pulmonary vascular congestion|pulmonary venous congestion|congestion"
     "|venous congestion|fluid overload|volume overload|kerley b line|kerley line|kerley a line|septal line"
     "|interlobular septal thickening|bat wing opacity|batwing opacity|bat wing|batwing|bat wing pattern|perihilar haze"
     "|perihilar haziness|cephalization|vascular redistribution|upper lobe diversion|bat wing shadowing"
     "|bat wing edema|butterfly opacity|bat wing consolidation", Item(Kind.FINDING, codes=("edema",))),
    ("copd|chronic obstructive pulmonary disease|hyperinflation|hyperinflated|hyperexpanded|hyperexpansion|bulla"
     "|bullae|bullous|bullous change|bullous disease|bleb|bullous emphysema|air trapping|flattened diaphragm"
     "|flattened hemidiaphragm|flattening of the diaphragm", Item(Kind.FINDING, codes=("emphysema",))),
    ("ild|interstitial lung disease|ipf|idiopathic pulmonary fibrosis|scarring|scar|honeycombing|honeycomb lung"
     "|honeycomb change|reticulation|reticular opacity|reticular change|uip|usual interstitial pneumonia|fibrosing"
     "|reticular shadowing|reticular pattern|interstitial disease|fibrotic band",
     Item(Kind.FINDING, codes=("fibrosis",))),
    ("fluid|empyema|hemothorax|chylothorax|pyothorax|parapneumonic effusion|blood in the pleural space",
     Item(Kind.FINDING, codes=("pleural_effusion",))),
    ("hydropneumothorax|hemopneumothorax|pyopneumothorax",
     Item(Kind.FINDING, codes=("pleural_effusion", "pneumothorax"))),
    ("pleural plaque|pleural scarring|fibrothorax|pleural calcification|apical pleural cap",
     Item(Kind.FINDING, codes=("pleural_thickening",))),
    ("apical cap|apical capping", Item(Kind.FINDING, codes=("pleural_thickening",), zone=Zone.UPPER)),
    ("tension pneumothorax", Item(Kind.FINDING, codes=("pneumothorax",), severity=Severity.SEVERE)),
    ("pancoast tumor|superior sulcus tumor|pancoast", Item(Kind.FINDING, codes=("lung_cancer",), zone=Zone.UPPER)),
    ("lung tumor|pulmonary tumor|pulmonary neoplasm|lung neoplasm|malignancy|carcinoma|adenocarcinoma|cancer"
     "|neoplasm|bronchial tumor", Item(Kind.FINDING, codes=("lung_cancer",))),
    ("tumor|lump|mass like opacity|masslike opacity|mass like lesion|growth", Item(Kind.FINDING, codes=("mass",))),
    ("granuloma|calcified granuloma|spot|spot on the lung|miliary nodule|miliary opacity|miliary pattern|spot on lung"
     "|round opacity|rounded opacity|rounded lesion|round lesion", Item(Kind.FINDING, codes=("nodule",))),
    ("ghon focus|ghon complex|ghon lesion|ranke complex|simon focus|assmann focus",
     Item(Kind.FINDING, codes=("tuberculosis",))),
    ("lung abscess|abscess|pulmonary abscess|hole in the lung|hole|mycetoma|aspergilloma|cavern",
     Item(Kind.FINDING, codes=("cavity",))),
    ("lesion|shadow|density|lung shadow|interstitial marking|interstitial opacity|interstitial pattern"
     "|increased marking|interstitial change|interstitial shadowing|bronchovascular marking"
     "|increased interstitial marking",
     Item(Kind.FINDING, codes=("lung_opacity",))),
    ("whiteout|white out|opacified hemithorax|complete opacification|white lung",
     Item(Kind.FINDING, codes=("lung_opacity",), severity=Severity.SEVERE)),
    ("pneumonitis|chest infection|lung infection|lower respiratory tract infection|lrti|respiratory infection"
     "|pulmonary infection|aspiration|aspiration pneumonia|community acquired pneumonia|cap|hap|vap|infective change"
     "|infectious process|chest sepsis"
     "|infective consolidation", Item(Kind.FINDING, codes=("pneumonia",))),
    ("pneumococcal pneumonia|streptococcal pneumonia|staphylococcal pneumonia|klebsiella pneumonia"
     "|mycoplasma pneumonia|legionella pneumonia|bacterial infection",
     Item(Kind.FINDING, codes=("bacterial_pneumonia",))),
    ("influenza pneumonia|rsv pneumonia|rsv|viral infection|adenovirus pneumonia|influenza|viral pneumonitis",
     Item(Kind.FINDING, codes=("viral_pneumonia",))),
    ("hiatal hernia|hiatus hernia|bochdalek hernia|morgagni hernia|intrathoracic stomach",
     Item(Kind.FINDING, codes=("hernia",))),
    ("ventricular enlargement|left ventricular enlargement|right ventricular enlargement|atrial enlargement"
     "|left atrial enlargement|right atrial enlargement|cardiomyopathy|dilated cardiomyopathy|globular heart"
     "|left ventricular hypertrophy|boot shaped heart", Item(Kind.FINDING, codes=("cardiomegaly",))),
    ("hampton hump|hampton's hump|westermark sign", Item(Kind.FINDING, codes=("pulmonary_embolism",))),
)  # fmt: skip

_PLACES: tuple[tuple[str, Side | None, Zone | None], ...] = (
    ("right|rt|r|rhs|right hand", Side.RIGHT, None),
    ("left|lt|l|lhs|left hand", Side.LEFT, None),
    ("bilateral|bilaterally|both|both sided|two sided|either side|either lung|each|asymmetric", Side.BOTH, None),
    ("upper|apical|apex|superior|suprahilar|subclavicular|supraclavicular|apico posterior|top|infraclavicular",
     None, Zone.UPPER),
    ("biapical|apices", Side.BOTH, Zone.UPPER),
    ("middle|mid|perihilar|hilar|hilum|parahilar|central|centrally", None, Zone.MIDDLE),
    ("hila", Side.BOTH, Zone.MIDDLE),
    ("lingula|lingular|lingular segment", Side.LEFT, Zone.MIDDLE),
    ("lower|basal|basilar|base|basally|inferior|costophrenic|cp|infrahilar|supradiaphragmatic|bottom|costodiaphragmatic"
     "|basal segment", None, Zone.LOWER),
    ("bibasal|bibasilar|bases|bibasally", Side.BOTH, Zone.LOWER),
    ("retrocardiac|behind heart|behind the heart", Side.LEFT, Zone.LOWER),
    ("rul|ruz|r ul", Side.RIGHT, Zone.UPPER), ("lul|luz|l ul", Side.LEFT, Zone.UPPER),
    ("rml|rmz|r ml", Side.RIGHT, Zone.MIDDLE), ("lmz|lml", Side.LEFT, Zone.MIDDLE),
    ("rll|rlz|r ll", Side.RIGHT, Zone.LOWER), ("lll|llz|l ll", Side.LEFT, Zone.LOWER),
)  # fmt: skip

_DEGREES = {
    Severity.MILD: "mild|mildly|minimal|minimally|minor|small|tiny|trace|subtle|subtly|slight|slightly|faint|little"
    "|minute|early|low grade|borderline|small volume|small amount|small amounts|trace amount|scant|limited|smallish"
    "|small sized|small size|a bit|barely visible|mild to minimal|traces|trivial|bit",
    Severity.MODERATE: "moderate|moderately|medium|intermediate|moderate sized|medium sized|moderate amount|medium size"
    "|moderate size|mid sized|moderate volume|mild to moderate|small to moderate|mod|moderately large",
    Severity.SEVERE: "severe|severely|large|massive|massively|extensive|extensively|marked|markedly|gross|grossly"
    "|huge|big|advanced|florid|complete|sizable|sizeable|substantial|substantially|pronounced|profound|giant|critical"
    "|voluminous|high grade|large volume|large amount|large amounts|considerable|considerably|tremendous|very large"
    "|moderate to severe|moderate to large|large sized|large size|enormous|serious|total|bad|sev|fulminant|lots of"
    "|a lot of|plenty of",
}

_GRAMMAR = {
    Kind.NEGATE: "no|not|without|negative for|neg for|no evidence of|without evidence of|absence of|lack of|free of"
    "|free from|clear of|denies|denied|nor|neither|never|non|rather than|instead of|no sign of|no signs of|excluding"
    "|resolution of|lacks|lacking|minus|devoid of|no longer|nil|ruled out for|negative|clearance of|sans",
    Kind.NEGATED: "absent|none|not seen|not present|not identified|not visible|not visualized|not visualised|not noted"
    "|not evident|not demonstrated|not detected|not appreciated|not found|resolved|cleared|ruled out|excluded"
    "|no longer seen|no longer present|no longer visible|no longer evident|unlikely|not apparent|not there|disproved"
    "|not shown|gone|not suspected|not included|disappeared|can be excluded|not any more|not any longer",
    Kind.DOUBT: "rule out|possible|possibly|probable|probably|likely|suspected|suspicious for|suspicious of"
    "|suspicion of|suspect|concern for|concerning for|worrisome for|questionable|question|query|may represent"
    "|might represent|could represent|may be|might be|could be|presumed|presumptive|suggesting|suggestive of|suggests"
    "|evaluate for|assess for|check for|look for|exclude|to exclude|can not exclude|can not rule out"
    "|differential|equivocal|potential|apparent|less likely|suspicious|maybe|perhaps|can not be sure of",
    Kind.DOUBTED: "can not be excluded|can not be ruled out|not excluded|not ruled out|is possible|doubted|suspected by"
    "|could not be excluded|not be excluded|not be ruled out|not entirely excluded|can not entirely be excluded",
    Kind.HISTORY: "history of|prior|previous|previously|past history of|status post|past medical history of|pmh|pmhx"
    "|past medical history|old history of|family history of|post treatment|past|background of",
    Kind.ASSERT: "present|visible here|positive|confirmed|is seen|are seen|is noted|are noted|is visible|are visible",
    Kind.AND: "and|plus|as well as|+|along|also|together",
    Kind.OR: "or|and or",
    Kind.SLASH: "/|versus|vs",
    Kind.BREAK: "but|however|although|though|with|shows|show|showing|showed|demonstrates|demonstrating|demonstrate"
    "|there is|there are|there was|has|have|having|now|except|except for|apart from|aside from|other than|besides"
    "|reveals|revealing|positive for|only|instead|yet|still|complicated by|accompanied by|associated with|who|which"
    "|while|whereas|presenting|presents|on a background|despite|containing|involved by|plus now|admitted|diagnosed"
    "|known for|just|consistent with|compatible with|in keeping with|due to|because of|secondary to|displaying|displays"
    "|depicting|depicts|featuring|features|exhibiting|exhibits|affected by|suffering from|indicating|indicates",
    Kind.STOP: ".|;|\n|!",
    Kind.COMMA: ",|:|(|)|then|namely|=",
    Kind.PATIENT: "\u00a7",
    Kind.IN: "in|on|at|of|involving|within|affecting|over|to|along the|near|overlying|throughout|inside|into|around"
    "|occupying|filling|under|above|below|behind|across|from|predominantly|mainly|mostly|limited to|confined to"
    "|localized to|located in|localised to|seen in|predominating",
    Kind.ARTICLE: "a|an|another|some|new",
    Kind.ORGAN: "lung|lungs|lobe|lobes|zone|zones|field|fields|lobar|hemithorax|hemithoraces|side|sides|sided|thorax"
    "|chest|pulmonary|pleural|pleura|segment|segments|region|regions|area|areas|angle|angles|sulcus|recess|pleurae"
    "|thoracic|space|parenchyma|parenchymal|intrathoracic|half|third|thirds|part|parts|portion|portions|quadrant"
    "|cavity wall|sulci|spaces|location|laterality|lungfield",
    Kind.NORMAL: "normal|unremarkable|healthy|normalstudy|clear|nad|wnl",
    Kind.DESCRIPTOR: DESCRIPTORS,
    Kind.CLINICAL: CLINICAL,
    Kind.FILLER: FILLERS,
}


def _plurals(phrase: str) -> Iterator[str]:
    """The phrase and the plurals that its last word may take."""
    yield phrase
    if phrase.endswith(("ss", "x", "ch")):
        yield phrase + "es"
    elif phrase.endswith("y") and phrase[-2] not in "aeou":
        yield phrase[:-1] + "ies"
    elif phrase.endswith("is"):
        yield phrase[:-2] + "es"
    elif not phrase.endswith("s"):
        yield phrase + "s"


def _key(phrase: str) -> tuple[str, ...]:
    return tuple(phrase.replace("-", " ").split())


def _build() -> dict[tuple[str, ...], Item]:
    words: dict[tuple[str, ...], Item] = {}
    for kind, phrases in reversed(list(_GRAMMAR.items())):  # earlier kinds win over later ones
        for phrase in phrases.split("|"):
            words[_key(phrase) or (phrase,)] = Item(kind, phrase)
    for severity, phrases in _DEGREES.items():
        words |= {_key(p): Item(Kind.DEGREE, p, severity=severity) for p in phrases.split("|")}
    for phrases, side, zone in _PLACES:
        words |= {_key(p): Item(Kind.PLACE, p, side=side, zone=zone) for p in phrases.split("|")}
    for phrases, item in _LOOSE:
        for phrase in phrases.split("|"):
            words |= {_key(p): replace(item, text=p, loose=True) for p in _plurals(plain(phrase))}
    for code, row in VOCABULARY.items():
        for phrase in (row.name, code.replace("_", " "), *row.synonyms):
            words |= {_key(p): Item(Kind.FINDING, p, codes=(code,)) for p in _plurals(plain(phrase))}
    words[("normalheart",)] = Item(Kind.DENIED, "normal heart", codes=("cardiomegaly",))
    words[("sharpangles",)] = Item(Kind.DENIED, "clear costophrenic angles", codes=("pleural_effusion",))
    return words


LEXICON = MappingProxyType(_build())
LONGEST = max(len(key) for key in LEXICON)
KNOWN = frozenset(word for key in LEXICON for word in key)
WANTED = frozenset(
    word
    for key, item in LEXICON.items()
    if item.kind in (Kind.FINDING, Kind.PLACE, Kind.DEGREE, Kind.NORMAL, Kind.NEGATE)
    for word in key
    if len(word) >= 6 and word.isalpha()
)
