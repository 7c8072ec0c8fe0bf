"""From sound to what may have been said: recognisers, grammars, pronunciations. Knows no ROS."""
