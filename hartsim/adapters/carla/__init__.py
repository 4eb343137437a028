"""The `World` contract over the official CARLA client: hazards, weather and textures in its maps.

Knows compiled scenes and CARLA's client; knows no prompts, no models, no policies. Its left-handed
axes and its degrees do not leave this package.
"""
