"""Camera geometry and object shape from depth. Knows neither ROS nor the simulator."""
