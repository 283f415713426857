"""Words that a prompt may hold beside findings: descriptors, clinical context and plain English."""

from __future__ import annotations


def _bars(words: str) -> str:
    """Spaces between words to bars; an underscore joins the words of one phrase."""
    return "|".join(word.replace("_", " ") for word in words.split())


# How a finding looks or behaves; understood and said to be not chosen from words.
DESCRIPTORS = _bars("""
acute subacute chronic old recent longstanding long_standing stable unchanged worsening progressive progressing
improving increasing decreasing increased decreased interval residual recurrent persistent resolving unresolved focal
multifocal patchy diffuse diffusely widespread scattered confluent dense hazy ill_defined well_defined
well_circumscribed circumscribed poorly_defined spiculated lobulated irregular smooth calcified noncalcified
non_calcified solid part_solid subsolid semisolid non_solid multiple numerous several few many single solitary
isolated dominant linear nodular reticular reticulonodular reticulogranular interstitial alveolar airspace lobar
multilobar segmental subsegmental plate_like platelike discoid band_like bandlike streaky wedge_shaped crescentic
rounded round oval peripheral peripherally subpleural posterior anterior medial lateral dependent layering loculated
free_flowing encysted simple complex complicated uncomplicated tension spontaneous primary secondary traumatic
iatrogenic post_traumatic postoperative idiopathic infectious infective inflammatory atypical typical classic
classical community_acquired hospital_acquired aspiration nosocomial necrotizing necrotising round_shaped thick_walled
thin_walled air_fluid_level air_fluid_levels miliary centrilobular paraseptal panlobular panacinar compressive
obstructive cardiogenic non_cardiogenic noncardiogenic flash meniscus crazy_paving halo rim ring_enhancing enhancing
active inactive latent healed reactivation postprimary post_primary cystic hemorrhagic serous metastatic invasive
unilateral asymmetrical symmetric symmetrical symmetrically paracardiac paratracheal mediastinal subcarinal
parenchymal adjacent associated overlying underlying ipsilateral contralateral non_displaced displaced healing opaque
radiopaque lucent lucency nonspecific non_specific obvious definite clear_cut significant prominent noticeable
conspicuous frank frankly distinct discrete vague indistinct well_marked tubular clustered tree_in_bud mosaic coarse
fine bronchial vascular pulmonary_vascular reactive mildly_dilated two three four five six seven eight nine ten couple
pair number one size sized stage grade degree contrast enhanced noncontrast unenhanced high_resolution low_dose
rotated underpenetrated overexposed underexposed inspiration inspiratory expiratory hypoinflated low_volume
low_volumes lung_volumes shift partial partially fissural fissure marking markings noncovid postcovid mass_like
masslike nodule_like periphery viral bacterial fungal sparing spared dilated blunted blunting space_occupying
organizing organising lipoid air_bronchogram air_bronchograms silhouette_sign eosinophilic hypersensitivity
""")

# The patient's story; understood, never drawn.
CLINICAL = _bars("""
cough coughing fever febrile afebrile dyspnea dyspnoea breathless breathlessness shortness_of_breath sob chest_pain
pain pleuritic wheeze wheezing wheezy hemoptysis sputum productive_cough smoker ex_smoker nonsmoker non_smoker smoking
weight_loss night_sweats fatigue malaise chills rigors hypoxia hypoxic hypoxemia desaturation tachypnea tachycardia
hypertension hypertensive diabetes diabetic htn dm obese obesity cachectic trauma fall accident mva surgery surgical
post_op postop preop pre_op preoperative lobectomy pneumonectomy dialysis renal_failure hiv immunosuppressed
immunocompromised transplant chemotherapy ventilated intubated sepsis septic alcoholic asymptomatic symptomatic
symptoms symptom complaint complaining complains complains_of screening routine check checkup follow_up followup
baseline admission emergency er icu ed outpatient inpatient ward antibiotics treatment treated therapy days weeks
months pregnant mother_of pack_years allergic confusion confused syncope leukocytosis crackles rales weakness
edematous_legs exposure contact travel vaccinated unvaccinated discharge clinic shock hypotension collapse_at_home
stroke cardiac_arrest preterm premature prematurity full_term term_baby gestation bedridden frail slim thin tall
overweight athletic muscular hospitalized hospitalised hospital
""")

# Words without a meaning for the picture.
FILLERS = _bars("""
newborn newborns neonate neonates neonatal infant infants baby babies toddler toddlers kid kids teen teenager
teenagers adolescent adolescents elderly senior geriatric pediatric young older adults children men women lady
gentleman guy forties fifties sixties seventies eighties nineties thirties twenties twenty thirty forty fifty sixty
seventy eighty ninety based formation ca measuring measures nothing swallowed i'd i'm either tracking in_place place
predominant predominance pneumoniae after before during until since because why will_be also_a whether via along_with
thus hence therefore the this that these those it its is are was were be been being am do does did can could would
should will shall may might must i me my we us our you your they them their please kindly give make generate create
draw produce synthesize synthesise synthetic artificial fake realistic simulate simulated render need want like let
see seen image images picture pictures photo scan scans slice slices study exam examination view views projection
position positioned taken obtained acquired performed done for by as than so if then when where here there such very
quite rather too fairly somewhat about approximately roughly around any all every other otherwise same different
following evidence sign signs finding findings noted note identified appreciated demonstrated observed detected
described depicted visible visualized visualised evident suspected_to appears appear appearing looks look looking
consistent keeping compatible suggest represent representing case cases example patient patients pt person individual
subject adult man woman male female boy girl child year years old month yo aged age sex gender name x_ray xray x_rays
xrays ray rays cxr radiograph radiographs radiography radiographic radiographically radiological radiologically film
films roentgenogram plain digital computed tomography ct axial lung_window window standing lying upright erect supine
portable bedside frontal pa ap posteroanterior anteroposterior his her he she him hers himself herself someone
somebody what how type kind impression indication diagnosis diagnoses diagnosed_with clinical clinically information
info details data technique modality severity comparison report conclusion result results summary reason request
requested prompt body part anatomy presence existence amount quantity collection extent extends extending extension
process disease change changes disorder condition pathology problem abnormality abnormalities feature features pattern
appearance appearances quality good high low well standard simple_view grayscale black white detailed detail training
teaching education medical imaging radiology radiologist typical_of known current currently today seen_here which_is
level_of per up down out off onto through between both_of much more less most least greater worse better bigger
smaller larger than_usual one_of once again no_change no_interval_change no_significant_change without_change
no_change_in no_interval_change_in no_significant_change_in not_only no_increase_in no_improvement_in no_decrease_in
regarding concerning respect acknowledged get got show_me demonstrate_to present_in include includes including
included featuring_in involving_the called involve involved involves cause causing caused remain remains remaining
rest demonstrating_the hello hi thanks thank ok okay sure quick anything something everything nothing_else else even
volumes cardiac heart silhouette mediastinum aorta aortic bony bones bone skeleton skeletal osseous ribs rib clavicle
clavicles spine diaphragm diaphragms hemidiaphragm hemidiaphragms trachea tracheal airway airways vasculature
soft_tissue soft_tissues contour contours border borders level levels vessels cardiothoracic ratio cardiomediastinal
heart_size midline cardiopulmonary cardiovascular clear_evidence_of clearly definitely certainly obviously normalpart
otherwisenormal subject's patient's s t d having_had both_the whole entire entirely completely totally sort few_of set
series sample comes come coming goes go find found findings_of
""")
