"""Word lists of the identifier guard: given names that mean nothing else, and names that stand for a disease."""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Frequent given names of several languages; names that are also English or medical words are left out on purpose.
GIVEN_NAMES = _words(
    """
james john robert michael david william richard joseph thomas charles christopher daniel matthew anthony steven andrew
kenneth joshua kevin brian george edward ronald timothy jason jeffrey jacob nicholas eric jonathan stephen larry
justin scott brandon benjamin samuel gregory alexander patrick raymond dennis jerry tyler aaron nathan henry douglas
zachary kyle walter jeremy keith roger terry sean gerald carl harold lawrence arthur albert joe willie philip mary
patricia jennifer linda elizabeth barbara susan jessica sarah karen lisa nancy betty sandra margaret ashley kimberly
emily donna michelle carol amanda melissa deborah stephanie dorothy rebecca sharon laura cynthia amy kathleen angela
shirley brenda emma anna pamela nicole samantha katherine christine helen debra rachel carolyn janet maria catherine
heather diane olivia julie joyce ruth lauren kelly evelyn joan christina andrea megan cheryl hannah jacqueline martha
madison teresa janice julia judith jane frances denise marilyn danielle beverly isabella theresa natalie brittany
charlotte marie kayla alexis alice ethel doris gladys edith josephine louise anne ann peter paul hans klaus juergen
wolfgang dieter guenter heinz karl friedrich ludwig johann juan jose carlos luis miguel pedro alejandro fernando
javier antonio manuel francisco rosa carmen ana lucia elena sofia giovanni giuseppe marco luca francesca giulia pierre
jacques francois jean michel claude isabelle nathalie mohammed muhammad mohamed ahmed ali hassan hussein omar fatima
aisha khadija ibrahim yusuf mustafa mehmet ayse wei ming hiroshi yuki kenji sakura raj priya anil sunita sanjay deepak
rahul amit vladimir ivan dmitri sergei olga natasha svetlana piotr katarzyna tomasz agnieszka lars sven ingrid bjorn
astrid liam noah oliver elijah lucas mason logan ethan aiden amelia harper ella
"""
)

# Names that stand for a sign, disease, device or organism in chest radiology.
EPONYMS = _words(
    """
kerley ghon ranke pancoast hampton westermark fleischner swan ganz bochdalek morgagni felson golden luftsichel caplan
kartagener scimitar marfan ewing kaposi wegener goodpasture loeffler loffler monod naclerio macklin rigler chilaiditi
poland simon assmann rasmussen windermere boerhaave cushing down turner noonan ebstein fallot eisenmenger langerhans
castleman hughes stovin birt hogg dube swyer james macleod mounier kuhn williams campbell dressler takayasu churg
strauss sjogren behcet crohn virchow hodgkin hamman rich lemierre horner heimlich hounsfield gohn koch mantoux
klebsiella legionella mycoplasma pneumocystis jirovecii carinii aspergillus streptococcus staphylococcus haemophilus
influenzae mycobacterium cryptococcus histoplasma coccidioides nocardia pseudomonas escherichia chlamydia covid sars
corona wuhan omicron delta hickman groshong broviac dobhoff blakemore sengstaken denver fontan glenn mustard norwood
blalock taussig medtronic
"""
)

EPONYM_NOUNS = _words(
    """
sign syndrome disease focu focus complex tumor tumour line hump nodule granulomatosi lymphoma sarcoma hernia catheter
effect triad spot node anomaly phenomenon malformation tetralogy valve tube drain shunt test cell sequence curve
classification score criteria deformity pouch artery
"""
)

# Parts of the body, peoples and days: capitals that are no name.
ANATOMY = _words(
    """
brain head skull neck spine abdomen pelvis knee hand wrist foot ankle hip elbow femur tibia liver kidney breast heart
lung lungs aorta esophagus stomach spleen bowel colon thyroid thymus sternum scapula humerus skin nipple vertebra
american european african asian indian chinese japanese german french english british spanish italian russian hispanic
latino caucasian arab turkish korean monday tuesday wednesday thursday friday saturday sunday january february march
april june july august september october november december africa europe asia america india china brazil germany flu
croup measles rickets pertussis lupus lymphoma leukemia stridor choking drowning anthrax mers ebola malaria abnormal
medicare streamlit dicom png jpeg mri flair spect hello hi dear
"""
)

MEDICAL_ENDING = re.compile(
    r"(?:osis|oses|itis|oma|omas|omata|emia|aemia|pathy|pathies|plasia|ectasis|graphy|gram|scopy|tomy|ectomy|plasty"
    r"|megaly|thorax|pnea|pnoea|algia|rrhage|trophy|stasis|lysis|genic|ism|ous|tic|ary|ive|ing|ed|tion|sion|ment|ness"
    r"|ity|ical|eal|oid|ular|ated|ating|opaque|ural|iac|ase|uria|penia|cele|emic|ally|sis)$"
)
