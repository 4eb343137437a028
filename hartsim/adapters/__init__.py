"""Where generated looks meet simulators: Gymnasium environments here, CARLA beside them.

Knows worlds, scenes and banks of finished renders; knows no model and renders nothing itself.
"""
