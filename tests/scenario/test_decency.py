import pytest

from hartsim.errors import ScenarioError
from hartsim.scenario.decency import harm_in, objection, person_in, refuse
from hartsim.scenario.kinds import KINDS
from hartsim.scenario.language import parse_sentence
from hartsim.scenario.library import library_scenarios
from hartsim.scenario.load import load_scenario, parse_scenario
from hartsim.scenario.surroundings import GROUNDS, PLACES, TIMES, WEATHERS

HARM = [
    "blood on the road",
    "a bloody hand next to a knife",
    "a blood-stained shirt in the lane",
    "a bleeding man on a highway",
    "a deer that bleeds in the snow",
    "a corpse on a country road",
    "two corpses beside a burning car",
    "a body bag on the pavement",
    "body parts on the road",
    "a dead body in the lane",
    "the charred bodies of the passengers",
    "a dead child in front of a bus",
    "dead pedestrians at night",
    "a dying old woman on the road",
    "a burning person running out of a car",
    "a cyclist on fire",
    "a car kills a pedestrian",
    "a man killed by a falling rock",
    "a driver killing two children",
    "a cyclist being run over by a truck",
    "a child hit by a white van",
    "a truck running over a child",
    "a car drove over people",
    "a murdered driver",
    "a massacre on a city street",
    "slaughtered animals on the highway",
    "a dismembered motorcyclist",
    "decapitation by a guard rail",
    "a beheaded statue of a man",
    "a severed hand on the kitchen table",
    "a knife cutting off a finger",
    "a hand with a cut-off thumb",
    "a gory accident in the rain",
    "a gruesome crash at night",
    "guts on the road",
    "a wounded pedestrian",
    "a person with open wounds",
    "a stab wound in a hand",
    "an injured cyclist on the road",
    "accident victims on a motorway",
    "a stabbed man in a kitchen",
    "a suicide on a bridge",
    "a worker impaled on a pole",
    "A CORPSE ON THE ROAD",
]
PEOPLE = [
    "Mr Smith crossing the road",
    "mrs. Miller on a bicycle",
    "Dr. Müller at a lab bench",
    "Prof. Schneider with scissors",
    "President Lincoln in a car",
    "Queen Victoria on a city street",
    "John Smith running into the road",
    "a deer, and then John Smith in the rain",
    "a photo of Maria Gonzalez at night",
    "Ronald McDougall's van in fog",
    "a child and Jean-Pierre Dupont on a bike",
    "Heinz P. Huber on the highway",
    "donald trump on a country road",
    "Elon Musk next to a burning car",
    "ELON MUSK NEXT TO A BURNING CAR",
    "taylor swift crossing the street",
    "merkel in a car in fog",
    "A Car With Angela Merkel Near A City Street",
]
ALLOWED = [
    "a deer on a snowy road at night",
    "A child runs out from behind a parked van, at dusk, in heavy rain.",
    "A Child Running Into The Road At Night",
    "A Rubber Duck And An Umbrella On The Highway",
    "A DOG ON THE ROAD",
    "a blood orange on a kitchen table",
    "blood oranges and a knife",
    "a blood pressure monitor on an office desk",
    "a rack of blood samples on a lab bench",
    "a blood-red car in the rain",
    "a dead end in the city",
    "a dead-end street at night",
    "a pedestrian dead ahead",
    "a dead tree on a country road",
    "a dead battery on a workbench",
    "a dead animal on the highway",
    "dead leaves on the road",
    "two robots in a deadlock",
    "a deadline on an office desk",
    "the body of a truck across both lanes",
    "the burnt body of a car on the shoulder",
    "a body panel lying in the lane",
    "a kill switch next to a robot arm",
    "somebody who killed the engine in a tunnel",
    "a bottle of weed killer on a workshop bench",
    "a skilled worker on foot",
    "a truck at the gore point of a motorway",
    "a cable wound around a drum on the road",
    "a severed cable on the road",
    "a torn-off bumper in the lane",
    "a cut-off branch on the road",
    "a cyclist cut off by a car",
    "a van with suicide doors",
    "a torture test for a gripper",
    "a hand cutting off a piece of tape",
    "a car running over a cardboard box",
    "a person burning leaves at the roadside",
    "a driver hit by the low sun",
    "a burning car with flames and black smoke",
    "a hot plate and a human hand",
    "a knife next to a hand",
    "broken glass near a keyboard",
    "an overturned truck on the highway",
    "a crash between two cars without injuries",
    "a person lying on the road",
    "an ambulance with blue lights in the city",
    "a wheelchair user crossing the road",
    "a person with one arm on a bicycle",
    "a shot glass on the kitchen table",
    "a head-on view of a bus",
    "a skeleton key on the desk",
    "a bodybuilder crossing the road",
    "a bloodhound on the road",
    "brushed steel with scratches",
    "cobblestones with green moss",
    "red brick wall with graffiti",
    "Cobblestones, wet",
    "New York street at night",
    "a Toyota Corolla Verso in fog",
    "an Iveco Daily on the shoulder",
    "a John Deere tractor on a country road",
    "a Mercedes Sprinter parked in Los Angeles",
    "Queen Street in the rain",
    "a bottle of Dr Pepper on a desk",
    "a Coca-Cola can on the road",
    "a Red Bull can on the road",
    "Christmas Eve in a suburb, with snow on the road",
    "Monday morning on the M25",
    "the Golden Gate Bridge in fog",
    "a Franka Emika arm near a mug",
    "a STOP sign lying on the road",
    "Berlin, Hamburg: a motorway in fog",
    "a Tesla Model Three that brakes hard",
    "the ego vehicle follows a truck. Behind it, a deer",
    "12 m ahead, a tyre on the highway",
    "",
]


@pytest.mark.parametrize("text", HARM)
def test_harm_done_is_refused(text):
    assert harm_in(text)
    assert "hazards are shown before harm" in objection(text)


@pytest.mark.parametrize("text", PEOPLE)
def test_real_people_are_refused(text):
    assert person_in(text)
    assert "say what one sees of them" in objection(text)


@pytest.mark.parametrize("text", ALLOWED)
def test_what_only_looks_like_it_is_allowed(text):
    assert objection(text) == ""


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.id)
def test_the_words_of_a_kind_are_allowed(kind):
    texts = (*kind.nouns, kind.plural, *kind.synonyms, *kind.actions)
    assert [text for text in texts if objection(text)] == []


def test_the_words_of_the_surroundings_are_allowed():
    texts = [each for w in WEATHERS.values() for each in (*w.all_phrases, *w.sky)]
    texts += [each for t in TIMES.values() for each in (*t.all_phrases, t.sky)]
    texts += [each for ground in GROUNDS.values() for each in ground.all_phrases]
    for place in PLACES.values():
        texts += [*place.nouns, *place.synonyms, *place.backdrop]
        texts += [each for materials in place.materials.values() for each in materials]
    assert [text for text in texts if objection(text)] == []


@pytest.mark.parametrize("name", library_scenarios())
def test_the_texts_of_a_shipped_scenario_are_allowed(name):
    scenario = load_scenario(name)
    texts = [scenario.about, *scenario.textures.values()]
    assert [text for text in texts if objection(text)] == []


def test_a_sentence_is_refused_with_its_words_and_another_way_to_say_it():
    with pytest.raises(ScenarioError) as caught:
        parse_sentence("a corpse on the road")
    assert str(caught.value) == (
        "'a corpse on the road': 'corpse' is harm done; hazards are shown before harm: say what is "
        "about to happen, like 'a child running into the road in front of a truck'"
    )


def test_a_sentence_is_refused_before_another_reader_reads_it():
    with pytest.raises(ScenarioError, match="real person"):
        parse_sentence("John Smith on the road", reader=lambda text, schema: pytest.fail("read"))


FILE = """task: driving
about: {about}
scene: {{place: highway}}
hazards: {{rock: {{kind: rock, ahead_m: 12}}}}
textures: {{road: {road}}}
vary:
  textures.road:
    choice: [{option}, old asphalt]
"""


def file_with(about="A rock.", road="asphalt", option="new asphalt"):
    return parse_scenario(FILE.format(about=about, road=road, option=option), "my.yaml", "my")


def test_a_texture_is_refused_at_its_line():
    with pytest.raises(ScenarioError, match=r"^my\.yaml:5: textures\.road: 'blood' is harm done"):
        file_with(road="asphalt with blood")


def test_a_varied_texture_is_refused_at_its_line():
    with pytest.raises(ScenarioError, match=r"^my\.yaml:8: .*'John Smith' reads like the name"):
        file_with(option="poster of John Smith")


def test_what_a_file_says_to_people_is_free():
    about = "Ten people are killed on it each year, wrote Jane Miller."
    assert file_with(about=about).about == about


def test_nothing_is_raised_for_what_is_allowed():
    refuse("a deer on the road", "sentence")
