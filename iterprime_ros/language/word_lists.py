"""Closed lists of English words that the rules for referring expressions know."""


def words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


DETERMINERS = words('the a an this that these those some any either')
SPEAKERS_OWN = frozenset({'my', 'your', 'our'})
ONES = frozenset({'one', 'ones'})
QUESTION_WORDS = frozenset({'where', 'what', 'which', 'who'})
PERSON_PRONOUNS = frozenset(
    {'anyone', 'someone', 'everyone', 'anybody', 'somebody', 'everybody', 'whoever'}
)
THING_PRONOUNS = words("""
    anything something everything whatever whichever it them all
""")
INDEFINITE_PRONOUNS = PERSON_PRONOUNS | THING_PRONOUNS
PLURAL_PRONOUNS = frozenset({'ones', 'everything', 'everyone', 'everybody', 'them', 'all'})
# An anchor that is one of these says nothing by itself: 'a bowl with a spoon in it'.
ANAPHORA = words("""
    it him her them me us you each itself himself herself
""")
# Every object of a scene may be on one of these, or before one of those.
SURFACES = words("""
    table tabletop desk desktop counter countertop worktop workbench floor ground surface tablecloth
""")
VIEWERS = words('camera viewer robot lens')
COORDINATIONS = frozenset({'and', 'but', '&'})
ALTERNATIVES = frozenset({'or', 'nor', 'and', ','})

ORDINALS = {
    word: rank
    for rank, words in enumerate(
        (
            ('first', '1st'),
            ('second', '2nd'),
            ('third', '3rd'),
            ('fourth', '4th'),
            ('fifth', '5th'),
            ('sixth', '6th'),
            ('seventh', '7th'),
            ('eighth', '8th'),
            ('ninth', '9th'),
            ('tenth', '10th'),
            ('eleventh', '11th'),
            ('twelfth', '12th'),
        ),
        start=1,
    )
    for word in words
}
NUMBERS = {
    word: value
    for value, word in enumerate(
        (
            'two',
            'three',
            'four',
            'five',
            'six',
            'seven',
            'eight',
            'nine',
            'ten',
            'eleven',
            'twelve',
        ),
        start=2,
    )
}

# They may be nouns of a bare expression: 'light on the left', 'watch with a black strap'.
NOUN_VERBS = words("""
    train hand light watch book park stack water paint head mark track press place cut fork hammer
    clean open switch point walk drive drop fish ski surf shop plant
""")
# After them a side is where the object looks or goes, not where it is: 'bear looking left'.
DIRECTED_VERBS = words("""
    looking facing turning turned pointing leaning going moving walking running heading driving
    tilted bent pointed
""")
# They say no more than the relation that follows.
POSTURES = words("""
    sitting standing lying laying resting sits stands lies located placed positioned situated
    seated put found kept stood
""")
PERSONS = words("""
    man men woman women guy guys lady ladies girl girls boy boys kid kids child children person
    people player players baby babies toddler toddlers dude gentleman batter catcher pitcher
    umpire skier surfer skater snowboarder rider chef waiter waitress bride groom officer worker
    driver passenger teenager adult male female mother father mom dad
""")
ANIMALS = words("""
    dog dogs cat cats horse horses cow cows sheep lamb elephant elephants giraffe giraffes zebra
    zebras bear bears bird birds pigeon duck goat calf puppy kitten animal animals pony foal
    monkey rabbit
""")
COLOURS = words("""
    red green blue yellow orange purple pink brown black white grey gray beige tan teal navy
    maroon turquoise cyan magenta violet gold silver khaki plaid stripes camo denim
""")
# Adjectives and prepositions that end like 'mixer' and 'batter'.
NO_AGENTS = words("""
    other under over after upper lower outer inner silver copper leather proper either neither
    another former latter amber minor major interior exterior superior color for or her per
""")
SIZE_WORDS = words("""
    small little tiny large big huge tall short long
""")
# 'man in a hat' wears it.
CLOTHES = words("""
    shirt tshirt t-shirt shirts hat cap coat jacket suit dress skirt jeans pants trousers shorts
    sweater hoodie jersey uniform vest apron tie top blouse scarf helmet glasses sunglasses
    goggles shoes boots gloves socks robe gown costume clothes clothing outfit overalls tee tank
    sweatshirt cardigan swimsuit bikini wetsuit bandana headband stripes raincoat pajamas mask
    sandals sneakers leggings turban hijab veil beanie visor belt mittens
""")
# 'in half', 'in a row': states, not places.
STATES_AFTER_IN = words("""
    half halves pieces motion focus line row uniform flight action profile general particular
    bloom color colour person
""")
STATES_AFTER_ON = frozenset(['phone', 'cell', 'cellphone', 'fire', 'sale', 'display'])
# 'front wheel' is a part.
PARTS = words("""
    wheel wheels tire tires leg legs paw paws foot feet door doors seat light lights window
    windows pocket hoof
""")
# 'tank top' is a piece of clothing.
BEFORE_TOP = words("""
    tank crop halter tube pajama bikini table counter stove roof
""")

IRREGULAR_PLURALS = {
    'people': 'person',
    'men': 'man',
    'women': 'woman',
    'children': 'child',
    'feet': 'foot',
    'teeth': 'tooth',
    'mice': 'mouse',
    'geese': 'goose',
    'knives': 'knife',
    'shelves': 'shelf',
    'loaves': 'loaf',
    'leaves': 'leaf',
    'halves': 'half',
    'calves': 'calf',
    'scarves': 'scarf',
    'wolves': 'wolf',
    'potatoes': 'potato',
    'tomatoes': 'tomato',
    'guys': 'guy',
    'dice': 'die',
    'movies': 'movie',
    'cookies': 'cookie',
    'veggies': 'veggie',
    'hoodies': 'hoodie',
    'ties': 'tie',
    'pies': 'pie',
    'shoes': 'shoe',
    'buses': 'bus',
    'lenses': 'lens',
    'vases': 'vase',
    'cases': 'case',
    'suitcases': 'suitcase',
    'horses': 'horse',
    'houses': 'house',
    'blouses': 'blouse',
    'noses': 'nose',
    'roses': 'rose',
    'hoses': 'hose',
    'axes': 'axe',
}
# Nouns in -s that are one thing, or have no singular.
NOT_PLURAL = words("""
    bus lens gas glass dress iris canvas cactus virus focus atlas scissors pants jeans trousers
    shorts sunglasses goggles pliers tongs tweezers headphones binoculars pajamas tennis news
    grass cross mass class boss moss brass press chess compass mattress harness octopus walrus
    platypus hippopotamus sos chaos series species swiss christmas clothes stairs
""")
