"""What the tests of the figures look for in a drawn figure."""

from matplotlib.text import Text


def texts(figure):
    return [t.get_text() for t in figure.findobj(Text) if t.get_visible() and t.get_text()]


def line(axes, label):
    """(x, y) of the one line with this label."""
    (found,) = [each for each in axes.get_lines() if each.get_label() == label]
    return found.get_xdata().tolist(), found.get_ydata().tolist()


def labels(axes):
    return [each.get_label() for each in axes.get_lines()]
