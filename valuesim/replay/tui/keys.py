"""The keys of the list and of an episode: those of the page where it has some (words.yaml)."""

from __future__ import annotations

from textual.binding import Binding, BindingType

LIST: list[BindingType] = [
    Binding("slash", "filter", "Filter", key_display="/"),
    Binding("enter", "open", "Open", key_display="Enter"),
    Binding("n", "turn(1)", "Page", key_display="n p"),
    Binding("p", "turn(-1)", show=False),
    Binding("s", "sort", "Sort"),
    Binding("e", "broken", show=False),
    Binding("j", "move(1)", show=False),
    Binding("k", "move(-1)", show=False),
    Binding("escape", "back", show=False),
    Binding("q", "app.quit", "Quit"),
]

EPISODE: list[BindingType] = [
    Binding("space", "play", "Play", key_display="Space"),
    Binding("left", "step(-1)", "Step", key_display="\u25c4 \u25ba"),
    Binding("right", "step(1)", show=False),
    Binding("home", "first", show=False),
    Binding("end", "last", show=False),
    Binding("f", "fault(1)", "Fault"),
    Binding("F", "fault(-1)", show=False),
    Binding("tab", "role(1)", "Role", key_display="Tab"),
    Binding("shift+tab", "role(-1)", show=False),
    Binding("j", "part(1)", "Part", key_display="j k"),
    Binding("k", "part(-1)", show=False),
    Binding("a", "all", "All"),
    Binding("n", "episode(1)", "Episode", key_display="n p"),
    Binding("p", "episode(-1)", show=False),
    Binding("q,escape", "leave", "Back", key_display="q"),
    Binding("plus,equals_sign", "speed(1)", show=False),
    Binding("minus", "speed(-1)", show=False),
    Binding("g", "go", show=False),
    Binding("r", "roles", show=False),
    Binding("i", "about", show=False),
    Binding("down", "scroll(1)", show=False),
    Binding("up", "scroll(-1)", show=False),
    Binding("pagedown", "scroll(10)", show=False),
    Binding("pageup", "scroll(-10)", show=False),
]
