"""What a table is: its schema, what a recording holds, where it lies, what it may not hold."""
