"""Anonymized Neon database branches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from neon_hooks.emulator import lifecycle, masking, problems
from neon_hooks.emulator.model import NeonBranch
from neon_hooks.emulator.operations import Step
from neon_hooks.emulator.routes.branches import created, wish
from neon_hooks.emulator.routes.call import Call, Reply, flag, operations

RUNNABLE = ("initialized", "error", "anonymized")


def create(call: Call) -> Reply:
    project = call.project
    body = {"annotation_value": call.body.get("annotation_value"), **call.part("branch_create")}
    rules = masking.check(call.body.get("masking_rules") or [])
    asked = wish(body)
    marked = {**(asked.annotation or {}), "anonymized": "true"}
    steps: list[Callable[[NeonBranch], Step]] = [masking.initialising]
    if flag(call.body, "start_anonymization"):
        steps.append(lambda made: masking.anonymising(project, made))
    made, endpoint, scheduled = lifecycle.create(
        project, replace(asked, annotation=marked, masking_rules=rules), *steps
    )
    masking.turn(made, "created")
    return Reply(created(project, made, endpoint, operations(scheduled)), 201)


def status(call: Call) -> Reply:
    return Reply(masking.status(call.project.neon_branch(call.params["branch_id"])))


def rules(call: Call) -> Reply:
    return Reply({"masking_rules": masking.of(call.project.neon_branch(call.params["branch_id"]))})


def replace_rules(call: Call) -> Reply:
    found = call.project.neon_branch(call.params["branch_id"])
    masking.of(found)
    found.masking_rules = masking.check(call.body.get("masking_rules"))
    return Reply({"masking_rules": found.masking_rules})


def start(call: Call) -> Reply:
    found = call.project.neon_branch(call.params["branch_id"])
    masking.of(found)
    if found.masking_state not in RUNNABLE:
        raise problems.refused(f"anonymization cannot start in the state {found.masking_state}")
    masking.turn(found, "anonymizing")
    call.project.operations.schedule(masking.anonymising(call.project, found))
    return Reply(masking.status(found))
