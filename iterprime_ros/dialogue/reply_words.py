"""Whole replies that name no object, in lower case and without what opens or ends them."""


def _replies(text: str) -> frozenset[str]:
    """Return the replies in a text, which commas separate."""
    return frozenset(' '.join(each.split()) for each in text.split(','))


ENDS = _replies("""
    never mind, nevermind, neither, neither one, neither of them, none, none of them, no, nope,
    no thanks, stop, stop it, cancel, cancel that, abort, forget it, forget about it, leave it,
    nothing, no one
""")
ANY = _replies("""
    any, anyone, any one, any of them, any one of them, either, either one, either of them,
    whichever, whatever, whichever you like, you choose, you decide, i don't care, don't care,
    doesn't matter, it doesn't matter, does not matter, it does not matter
""")
SAYS_NOTHING = _replies("""
    yes, yeah, yep, ok, okay, sure, both, both of them, all of them, what, huh, pardon, please
""")
