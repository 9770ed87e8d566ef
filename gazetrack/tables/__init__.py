"""What a table is: its schema, what a recording holds, where tables lie, and what no table may hold."""
