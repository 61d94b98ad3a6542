"""Are a backbone's features worth anything, before any detector is trained on them?

lesion_crops (what is looked at) -> networks (features of a checkpoint; the only module with
torch) and pixels (without a network) -> neighbours (who is near whom, and their votes) ->
arms and network_arms (all that is compared) -> scores and assessment (how often they are
right) -> report (numbers), maps and neighbour_sheets (pictures). probe runs it all.
"""
