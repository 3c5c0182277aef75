"""Values as pages show them: names, numbers, times, icons, lines, Markdown. Templates have the functions as filters."""
