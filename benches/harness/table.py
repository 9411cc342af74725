"""The figures as a table for people: the median of the rounds, with the least and the greatest in parentheses."""

NAME, CELL = 24, 24


def render(found):
    lines = [f"{name}: {value}" for name, value in found.about.items()]
    lines.append("median of the rounds (least to greatest)")
    groups = {}
    for (group, name, column), figure in found.figures.items():
        groups.setdefault(group, {}).setdefault(name, {})[column] = figure
    for group, names in groups.items():
        columns = list(dict.fromkeys(column for cells in names.values() for column in cells))
        lines += ["", group, row("", columns)]
        lines += [row(name, [cell(cells.get(column)) for column in columns]) for name, cells in names.items()]
    aims = [aim(*key, figure) for key, figure in found.figures.items() if figure.aim]
    return "\n".join(lines + (["", "aims", *aims] if aims else []))


def row(name, cells):
    return (f"  {name:{NAME}}" + "".join(f"{text:<{CELL}}" for text in cells)).rstrip()


def cell(figure):
    if figure is None:
        return ""
    if set(figure.values) == {1}:
        return "1"
    return f"{short(figure.median)} ({short(min(figure.values))} to {short(max(figure.values))})"


def short(value):
    """Two digits that mean something, and no more places than that takes."""
    return f"{value:.0f}" if abs(value) >= 20 else f"{value:.1f}" if abs(value) >= 3 else f"{value:.2f}"


def aim(group, name, column, figure):
    met = "met" if figure.aim.is_met(figure.median) else "missed"
    return f"  {met:8}{name}, {group}, {column}: {short(figure.median)}, aim {figure.aim}"
