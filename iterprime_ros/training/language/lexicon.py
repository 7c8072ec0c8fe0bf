"""Everyday words for generated expressions, by category."""


def _words(text: str) -> list[str]:
    return text.split()


def _phrases(text: str) -> list[str]:
    return text.split(',')


PEOPLE = _words(
    'man woman boy girl guy lady kid child person baby player dude toddler mom dad men women '
    'people kids officer chef skier rider pitcher waiter driver passenger crowd gentleman couple'
)
ANIMALS = _words(
    'bird cat dog horse sheep cow elephant bear zebra giraffe lamb goat duck calf puppy kitten '
    'pony bull sheep horses cows pigeon monkey parrot rabbit'
)
OBJECTS = _words(
    'bicycle car motorcycle airplane bus train truck boat van scooter tractor wagon bench '
    'hydrant sign pole fence wall building tree bush door window tower flag rock statue '
    'backpack umbrella handbag tie suitcase bag purse wallet box basket bucket cart toy doll '
    'frisbee skis snowboard ball kite bat glove skateboard surfboard racket net helmet bottle '
    'glass cup mug fork knife spoon bowl plate tray pot pan jar can napkin dish pitcher banana '
    'apple sandwich orange broccoli carrot pizza donut cake bread cookie egg cheese salad meat '
    'tomato lemon pepper onion potato grapes rice muffin bagel sausage cucumber strawberry '
    'chair couch plant bed table toilet tv sofa desk shelf cabinet drawer lamp rug pillow '
    'blanket mirror stool counter armchair crib curtain ladder carpet laptop mouse remote '
    'keyboard phone monitor screen camera tablet speaker printer cable radio microwave oven '
    'toaster sink refrigerator stove kettle blender dishwasher fan heater book clock vase '
    'scissors toothbrush painting picture poster calendar magazine letter card pen pencil ruler '
    'tape glue hammer screwdriver drill wrench nail brush broom mop towel soap'
)
CLOTHES = _words(
    'shirt jacket hat cap dress coat pants jeans shorts sweater vest scarf shoes boots skirt suit '
    'hoodie glasses sunglasses gloves uniform stripes tie backpack headband apron jersey'
)
BODY_PARTS = _words(
    'head hand arm leg face foot ear tail back shoulder hair nose knee elbow finger'
)
PARTITIVES = _words(
    'slice piece bowl pair bunch pile stack half edge part side back corner group row cup glass '
    'plate top box end front bit loaf bottle set'
)
COMPOUND_NOUNS = _phrases(
    'tennis player,baseball player,traffic light,parking meter,stop sign,wine glass,hot dog,'
    'teddy bear,cell phone,hair dryer,fire truck,street sign,coffee table,tennis racket,'
    'baseball bat,water bottle,police car,soccer ball,computer screen,paper towel,pizza slice,'
    'dining table,fire hydrant,polar bear,kitchen counter,night stand,train car,bed frame,'
    'trash can,flower pot,desk lamp,tool box,water jug,cereal box,tea cup,salt shaker,door knob'
)
LOCATIONS = _words(
    'street road grass water field beach room kitchen snow floor ground sky corner tracks'
)
COLOURS = _words(
    'red blue green yellow white black brown orange pink purple grey gray silver gold tan beige'
)
ADJECTIVES = _words(
    'small large big little tall short old young new long round wooden empty full clean dirty '
    'plastic metal dark bright heavy fat skinny bald blond cute striped spotted tiny huge whole '
    'fuzzy blurry visible smaller larger bigger taller shorter biggest smallest tallest largest '
    'clear cloudy shiny fancy closed standing nearest closest furthest main other same upright'
)
ORDINALS = _words('first second third fourth last 1st 2nd 3rd 4th 5th next')
SIDES = _words('left right top bottom middle center centre front back upper lower rear')
SUPERLATIVES = _words('leftmost rightmost topmost closest nearest farthest furthest')
STATE_PARTICIPLES = _words(
    'parked broken folded painted sliced cut opened covered damaged cooked rolled stuffed'
)
POSTURE_PARTICIPLES = _words(
    'standing sitting walking running sleeping lying jumping smiling leaning kneeling'
)
TRANSITIVE_PARTICIPLES = _words(
    'holding wearing riding eating carrying using pulling drinking touching hugging pushing'
)
LOOKING_PARTICIPLES = _words('looking staring pointing smiling laughing waving')
PASSIVE_PARTICIPLES = _words(
    'parked placed seated covered surrounded stacked tied attached dressed mounted'
)
OWNERS = _words('man woman boy girl guy lady kid child player dog horse cat person driver chef')
SIDE_NOUNS = _phrases(
    'left,right,back,front,middle,center,background,foreground,corner,end,bottom,top,'
    'left side,right side,far left,far right,top left,bottom right,left corner,far end,'
    'back row,front row,right hand side'
)
PREPOSITIONS = _words('behind beside near by under below above over on in at against inside with')
COMPOUND_PREPOSITIONS = _phrases(
    'next to,close to,closest to,nearest to,furthest to,farthest from,furthest from,left of,'
    'right of,ahead of,in front of,in back of,on top of,to the left of,to the right of,'
    'on the other side of,at the back of,on the edge of,at the end of,in the middle of'
)
