"""Means of gradients over processes: what they are, and that they leave early."""

from __future__ import annotations

import json

import torch
from torch import distributed, nn

from gradtrack_model import parallel
from gradtrack_model.training.gradients import GradientMeans
from tests.processes import run_in

LAYERS = 6


def network():
    torch.manual_seed(0)
    layers = [nn.Linear(4, 4) for _ in range(LAYERS)]
    layers[2].weight.requires_grad_(False)
    return nn.Sequential(*layers)


def batch():
    return torch.linspace(-1, 1, 32).view(8, 4)


def averaged(folder, parts):
    """Write the means of three steps of several parts, and what happened in which order."""
    with parallel.joined():
        learning = network()
        # Before it is used, in the third step, no loss depends on it.
        late = nn.Parameter(torch.ones(4))
        events = []
        real = distributed.all_reduce

        def telling(tensor, *arguments, **options):
            events.append("sent")
            return real(tensor, *arguments, **options)

        distributed.all_reduce = telling
        learning[0].weight.register_post_accumulate_grad_hook(lambda _: events.append("first"))
        # Each layer is a message of its own, as one of 20 numbers has no room for more.
        means = GradientMeans([*learning.parameters(), late], message_bytes=80)
        steps = []
        for step in range(3):
            events.clear()
            for parameter in (*learning.parameters(), late):
                parameter.grad = None
            mine = batch()[parallel.rank() :: 2]
            for number, part in enumerate(mine.chunk(parts), 1):
                if number == parts:
                    events.append("last part")
                    means.expect()
                loss_of(learning, part, late if step == 2 else None).div(parts).backward()
            events.append("backward is over")
            means.finish()
            gradients = [one.grad for one in (*learning.parameters(), late)]
            plain = [None if one is None else one.tolist() for one in gradients]
            steps.append({"gradients": plain, "events": list(events)})
        (folder / f"{parallel.rank()}.json").write_text(json.dumps(steps))


def loss_of(learning, images, late):
    out = learning(images)
    if late is not None:
        out = out * late
    return (out**2).mean()


def steps_of(folder, parts):
    """Yield what happened in each step of two processes, whose gradients are those of one."""
    run_in(averaged, 2, folder, parts)
    for rank in range(2):
        for step, told in enumerate(json.loads((folder / f"{rank}.json").read_text())):
            alone = network()
            late = nn.Parameter(torch.ones(4))
            loss_of(alone, batch(), late if step == 2 else None).backward()
            pairs = zip(told["gradients"], (*alone.parameters(), late), strict=True)
            for found, parameter in pairs:
                assert (found is None) == (parameter.grad is None)
                if found is not None:
                    torch.testing.assert_close(torch.tensor(found), parameter.grad)
            yield step, told["events"]


def test_sums_of_several_parts_are_sent_once(tmp_path):
    for _, events in steps_of(tmp_path, 2):
        assert "sent" not in events[: events.index("last part")]


def test_what_is_there_is_sent_while_the_backward_pass_goes_on(tmp_path):
    for step, events in steps_of(tmp_path, 1):
        before = events[: events.index("first")].count("sent")
        # In the first step it is not known yet that one gradient will never come.
        assert before == (0 if step == 0 else LAYERS - 1)
        assert events.index("backward is over") > events.index("first")


def test_one_process_has_nobody_to_send_to():
    learning = network()
    means = GradientMeans(learning.parameters())
    means.expect()
    learning(batch()).sum().backward()
    before = [p.grad.clone() for p in learning.parameters() if p.grad is not None]
    means.finish()
    after = [p.grad for p in learning.parameters() if p.grad is not None]
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))
