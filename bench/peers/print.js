// Prints a line, and nothing else: what Node itself takes for that.
process.stdout.write('0.1.0\n');
