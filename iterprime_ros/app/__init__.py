"""The page on which a picture and a command are tried in a browser (`iterprime app`)."""
