"""Numbers beside discs."""

from __future__ import annotations

import numpy as np

from gazetrack.figures.labels import DIGIT_WIDTH, place_labels

HEIGHT = 7.0
ROOM = (400.0, 300.0)


def overlaps(centres, texts):
    """How many pairs of labels lie on one another."""
    sizes = np.array([(len(text) * DIGIT_WIDTH * HEIGHT, HEIGHT) for text in texts])
    count = 0
    for i in range(len(texts)):
        for j in range(i):
            count += bool((np.abs(centres[i] - centres[j]) < (sizes[i] + sizes[j]) / 2).all())
    return count


def test_a_number_alone_stands_in_its_disc_where_it_fits_and_beside_it_else():
    place = np.array([[200.0, 150.0]])
    within = place_labels(place, np.array([12.0]), ["1"], HEIGHT, ROOM)
    np.testing.assert_array_equal(within, place)
    beside = place_labels(place, np.array([2.0]), ["1"], HEIGHT, ROOM)
    assert 2 < np.hypot(*(beside - place)[0]) < 15


def test_numbers_of_discs_at_one_place_do_not_lie_on_one_another():
    rng = np.random.default_rng(0)
    places = rng.normal((200, 150), 12, (25, 2))
    texts = [str(number) for number in range(1, 26)]
    radii = rng.uniform(4, 10, 25)
    centres = place_labels(places, radii, texts, HEIGHT, ROOM)
    assert overlaps(places, texts) > 20
    assert overlaps(centres, texts) == 0


def test_numbers_stay_in_the_picture():
    corners = np.array([[0.0, 0], [400, 0], [0, 300], [400, 300]])
    centres = place_labels(corners, np.full(4, 3.0), list("1234"), HEIGHT, ROOM)
    assert (centres > 0).all()
    assert (centres < ROOM).all()


def test_nothing_to_label():
    assert place_labels(np.empty((0, 2)), np.empty(0), [], HEIGHT, ROOM).shape == (0, 2)
