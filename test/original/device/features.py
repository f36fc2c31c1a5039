"""From twenty readings to the window that the original's network takes: Euler angles, db6 denoising, normalisation, 100 samples.

Constants: the statistics that its authors published with their model, in the order roll, pitch, yaw, wind, rotor, voltage.
"""
import math

import numpy as np
import pywt

RAW_STD = np.array([0.016420936223837328, 0.016334995704541194, 1.8099483201980124, 0.390586993510686, 0.6198457502848073, 26.381718657769373])
MEAN = np.array([-0.007964888641109898, 0.0011708225976491218, -0.10684876812419516, 2.1539819710169525, 1.6106330201974879, 47.79383123678855])
STD = np.array([0.00749032366908536, 0.0042807694729227255, 0.48142986104607144, 0.354319324916855, 0.46953962260612736, 15.94323947766873])
THRESHOLDS = np.array([1.0827953869777986, 0.7643392252412812, 0.9999310888948346, 0.8415668710195762, 0.8265145168668945, 0.9139359431676647])
FEATURES = ['roll', 'pitch', 'yaw', 'wind_speed_rps', 'rps', 'voltage']

MIN_NUM_SAMPLES = 500
TIME_STEPS = 100
STEP = 10
QX, QY, QZ, QW, WIND, RPS, VOLTAGE = 6, 7, 8, 5, 3, 2, 4  # places in a line of the serial port


def features_of(values):
    """The six features of one line of twenty numbers."""
    x, y, z, w = (values[i] for i in (QX, QY, QZ, QW))
    roll = math.atan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y))
    pitch = math.asin(max(-1, min(1, 2 * (w * y - z * x))))
    yaw = math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
    return [roll, pitch, yaw, values[WIND], values[RPS], values[VOLTAGE]]


def denoise(series):
    """[samples, 6] → [samples (one more when odd), 6]: every coefficient softly thresholded, the approximation too."""
    count = len(series)
    levels = min(5, int(math.log2(count)))
    out = []
    for f, std in enumerate(RAW_STD):
        limit = std * math.sqrt(2 * math.log2(count))
        coefficients = pywt.wavedec(series[:, f], 'db6', level=levels, mode='symmetric')
        out.append(pywt.waverec([pywt.threshold(c, limit, mode='soft') for c in coefficients], 'db6', mode='symmetric'))
    return np.array(out).T


def last_window(samples):
    """501 rows of features → the one window that the original judges, [1, 6, 10, 10] float32."""
    rows = ((denoise(np.array(samples)) - MEAN) / STD)[-(TIME_STEPS + STEP):]
    windows = [rows[i:i + TIME_STEPS] for i in range(0, len(rows) - TIME_STEPS, STEP)]
    return np.array([window.T.reshape(6, 10, 10) for window in windows], dtype=np.float32)


def errors_of(window, reconstruction):
    """Mean absolute error of each feature over the 100 samples, float32[6]."""
    return np.abs(window - reconstruction).reshape(6, TIME_STEPS).mean(axis=1).astype(np.float32)
