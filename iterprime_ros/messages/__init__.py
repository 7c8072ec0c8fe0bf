"""Between messages and arrays, whatever library made the classes of the messages."""
